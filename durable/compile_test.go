package durable_test

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestWrongTypesDoNotCompile type-checks testdata/compile/*.go: each function
// whose name begins with Wrong has one mistake in it, whose text is in its
// comment, and nothing else is wrong.
func TestWrongTypesDoNotCompile(t *testing.T) {
	raw, err := os.ReadFile("testdata/compile/compile.go.txt")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "compile.go", raw, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	config := types.Config{
		Importer: importer.ForCompiler(fset, "gc", exported(t)),
		Error: func(err error) {
			mistake := err.(types.Error)
			name := enclosing(file, mistake.Pos)
			found[name] = append(found[name], mistake.Msg)
		},
	}
	// The mistakes are in found.
	_, _ = config.Check("compile", fset, []*ast.File{file}, nil)
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		name, mistakes := f.Name.Name, found[f.Name.Name]
		if !strings.HasPrefix(name, "Wrong") {
			if len(mistakes) > 0 {
				t.Errorf("%s does not compile: %v", name, mistakes)
			}
			continue
		}
		want := strings.TrimSpace(f.Doc.Text())
		if len(mistakes) != 1 || !strings.Contains(mistakes[0], want) {
			t.Errorf("%s: want the mistake %q, got %q", name, want, mistakes)
		}
	}
}

// exported finds the compiled packages that durable is made of.
func exported(t *testing.T) func(path string) (io.ReadCloser, error) {
	out, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}", ".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	files := map[string]string{}
	for _, line := range strings.Split(string(out), "\n") {
		if path, file, ok := strings.Cut(line, "="); ok {
			files[path] = file
		}
	}
	return func(path string) (io.ReadCloser, error) { return os.Open(files[path]) }
}

func enclosing(file *ast.File, at token.Pos) string {
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Pos() <= at && at < f.End() {
			return f.Name.Name
		}
	}
	return "outside"
}
