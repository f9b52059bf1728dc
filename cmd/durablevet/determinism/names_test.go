package determinism

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// declared finds the functions and methods, and the types, of package durable.
func declared(t *testing.T) (functions map[string]*ast.FuncType, types map[string]bool) {
	t.Helper()
	functions, types = map[string]*ast.FuncType{}, map[string]bool{}
	files, err := filepath.Glob("../../../durable/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				functions[receiver(n)+n.Name.Name] = n.Type
			case *ast.TypeSpec:
				types[n.Name.Name] = true
			}
			return true
		})
	}
	return functions, types
}

// receiver is the name of a method's type and a dot.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	e := d.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x.Name + "."
		default:
			return ""
		}
	}
}

// TestNames compares the table with package durable: a function that is renamed
// there is no longer seen here.
func TestNames(t *testing.T) {
	functions, types := declared(t)
	names := []string{fnRun, fnRegister, fnUseSerializer, fnNewApp, fnContinueAsNewMethod, fnOperationCall, fnEntityByName, fnEntityID, fnOrchestratorCall}
	for _, table := range []map[string]bool{passive, mustCheck} {
		for name := range table {
			names = append(names, name)
		}
	}
	for name := range durations {
		names = append(names, name)
	}
	names = append(names, payloadFunctions...)
	for name := range apis {
		names = append(names, name)
	}
	for _, name := range names {
		if functions[name] == nil && !slices.Contains(planned, name) {
			t.Errorf("package durable has no %s", name)
		}
	}
	for _, name := range append(slices.Clone(coroutineTypes), typeOrchestrator, typeActivity, typeApp, typeRetryPolicy, typeOrchestratorHandler, typeEntityContext) {
		if !types[name] && !slices.Contains(planned, name) {
			t.Errorf("package durable has no type %s", name)
		}
	}
}

// TestArguments compares the indexes of the table with the parameters.
func TestArguments(t *testing.T) {
	functions, _ := declared(t)
	for name, a := range apis {
		f := functions[name]
		if f == nil || slices.Contains(planned, name) {
			continue // TestNames
		}
		var params []ast.Expr
		for _, field := range f.Params.List {
			for range max(1, len(field.Names)) {
				params = append(params, field.Type)
			}
		}
		if a.name != none {
			if id, ok := params[a.name].(*ast.Ident); !ok || id.Name != "string" {
				t.Errorf("%s: parameter %d is not a name", name, a.name)
			}
		}
		if a.in != none {
			if id, ok := params[a.in].(*ast.Ident); !ok || id.Name != "any" {
				t.Errorf("%s: parameter %d is not a payload", name, a.in)
			}
		}
		_, isFunc := params[max(a.fn, 0)].(*ast.FuncType)
		if a.fn != none && !isFunc && name != "App.HandleHTTP" {
			t.Errorf("%s: parameter %d is not a function", name, a.fn)
		}
	}
}
