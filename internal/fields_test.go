package internal_test

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// maxWriters is how many files may write a field of the state of an orchestration.
const maxWriters = 2

// Each field of an orchestration's state is written in few places, so that a reader
// finds everything that can have changed it.
func TestFieldsHaveFewWriters(t *testing.T) {
	for _, dir := range []string{"orchestration", "lease", "activity", "journal", "executor", "worker"} {
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			for field, files := range writers(t, dir) {
				if len(files) > maxWriters {
					t.Errorf("field %s is written in %d files, want at most %d: %s", field, len(files), maxWriters, strings.Join(slices.Sorted(maps.Keys(files)), ", "))
				}
			}
		})
	}
}

// writers finds the files of a package that write each field of its structs.
func writers(t *testing.T, dir string) map[string]map[string]bool {
	t.Helper()
	fset := token.NewFileSet()
	var files []*ast.File
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	info := &types.Info{Selections: map[*ast.SelectorExpr]*types.Selection{}}
	config := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	pkg, err := config.Check(module+"/internal/"+dir, fset, files, info)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]bool{}
	note := func(e ast.Expr) {
		s, ok := ast.Unparen(e).(*ast.SelectorExpr)
		if !ok || info.Selections[s] == nil {
			return
		}
		selected := info.Selections[s]
		if selected.Kind() != types.FieldVal || selected.Obj().Pkg() != pkg {
			return
		}
		field := ownerOf(selected.Recv()) + "." + selected.Obj().Name()
		if out[field] == nil {
			out[field] = map[string]bool{}
		}
		out[field][filepath.Base(fset.Position(e.Pos()).Filename)] = true
	}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for _, e := range n.Lhs {
					note(e)
				}
			case *ast.IncDecStmt:
				note(n.X)
			}
			return true
		})
	}
	return out
}

// ownerOf is the name of the struct whose field was selected.
func ownerOf(t types.Type) string {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := t.(*types.Named); ok {
		return n.Obj().Name()
	}
	return t.String()
}
