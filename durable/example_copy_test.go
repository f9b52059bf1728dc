package durable_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestExamplesCanBeCopied looks at what the Examples of the public packages use
// from other files than their own, which their readers do not see. An Example of
// client code, of an app or of a test may use nothing at all. What shows an
// orchestrator alone may run it in the environment of env_test.go, and call the
// activity of the lab.
func TestExamplesCanBeCopied(t *testing.T) {
	elsewhere := []string{"hello", "run"}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	parsed := make(map[string]*ast.File)
	declared := make(map[string]string)
	positions := token.NewFileSet()
	for _, name := range files {
		file, err := parser.ParseFile(positions, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if file.Name.Name != "durable_test" {
			continue
		}
		parsed[name] = file
		for _, d := range topLevel(file) {
			declared[d] = name
		}
	}
	examples := 0
	for name, file := range parsed {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(f.Name.Name, "Example") {
				continue
			}
			examples++
			used := identifiers(f.Body)
			whole := used["durabletest"] || used["app"] || used["client"]
			for id := range used {
				from, ok := declared[id]
				if ok && from != name && !defines(f.Body, id) && (whole || !slices.Contains(elsewhere, id)) {
					t.Errorf("%s: %s uses %s of %s: its reader cannot copy that", name, f.Name.Name, id, from)
				}
			}
		}
	}
	if examples < 50 {
		t.Errorf("only %d examples were looked at", examples)
	}
}

// topLevel returns the names that a file declares for its package.
func topLevel(file *ast.File) (names []string) {
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				names = append(names, d.Name.Name)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					names = append(names, s.Name.Name)
				case *ast.ValueSpec:
					for _, n := range s.Names {
						names = append(names, n.Name)
					}
				}
			}
		}
	}
	return names
}

// identifiers returns the names that code uses, those of fields and methods left
// out.
func identifiers(body *ast.BlockStmt) map[string]bool {
	used := make(map[string]bool)
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			ast.Inspect(n.X, func(x ast.Node) bool {
				if id, ok := x.(*ast.Ident); ok {
					used[id.Name] = true
				}
				return true
			})
			return false
		case *ast.Ident:
			used[n.Name] = true
		}
		return true
	})
	return used
}

// defines reports whether code declares a name itself.
func defines(body *ast.BlockStmt, name string) (found bool) {
	is := func(e ast.Expr) bool { id, ok := e.(*ast.Ident); return ok && id.Name == name }
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			found = found || n.Tok == token.DEFINE && slices.ContainsFunc(n.Lhs, is)
		case *ast.Field:
			found = found || slices.ContainsFunc(n.Names, func(id *ast.Ident) bool { return id.Name == name })
		case *ast.TypeSpec:
			found = found || n.Name.Name == name
		case *ast.ValueSpec:
			found = found || slices.ContainsFunc(n.Names, func(id *ast.Ident) bool { return id.Name == name })
		case *ast.KeyValueExpr:
			found = found || is(n.Key)
		}
		return true
	})
	return found
}
