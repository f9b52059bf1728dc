// Package publicapi_test guards what apps may use: every exported declaration of
// every package that they can import is in a golden file.
package publicapi_test

import (
	"bytes"
	"flag"
	"go/ast"
	"go/build"
	"go/doc"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	module = "github.com/durable-go/functions"
	renew  = "go test ./internal/publicapi -update"
)

// notPublic are directories without packages for apps: commands, programs, templates and
// the folders of the lab's functions.
var notPublic = []string{"internal", "cmd", "bench", "deploy", "samples", "testdata", "node_modules", "infra", "Hello", "HttpStart", "Orchestrator"}

// TestPublicAPI fails on each change of a declaration that apps can use. One that
// is wanted is renewed, and its diff reviewed.
func TestPublicAPI(t *testing.T) {
	found := map[string]bool{}
	for _, dir := range publicPackages(t) {
		name := strings.ReplaceAll(filepath.ToSlash(dir), "/", "_") + ".txt"
		found[name] = true
		t.Run(dir, func(t *testing.T) { compare(t, filepath.Join("testdata", name), declarations(t, dir)) })
	}
	golden, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range golden {
		if !found[filepath.Base(file)] {
			t.Errorf("%s is of a package that is gone: remove it", file)
		}
	}
}

func compare(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (a new package? %s)", err, renew)
	}
	if bytes.Equal(got, want) {
		return
	}
	was, is := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	for _, line := range was {
		if !slices.Contains(is, line) {
			t.Errorf("- %s", line)
		}
	}
	for _, line := range is {
		if !slices.Contains(was, line) {
			t.Errorf("+ %s", line)
		}
	}
	t.Errorf("the public API is not that of %s. Where that is wanted: %s", file, renew)
}

// publicPackages are the directories with packages that apps can import.
func publicPackages(t *testing.T) (dirs []string) {
	t.Helper()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || path == root {
			return err
		}
		if slices.Contains(notPublic, d.Name()) || strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if pkg, err := linux().ImportDir(path, 0); err == nil && !pkg.IsCommand() {
			rel, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			dirs = append(dirs, rel)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(dirs, "durable") || !slices.Contains(dirs, "durabletest") {
		t.Fatalf("the public packages are %v?", dirs)
	}
	return dirs
}

// linux makes the files of a package the same on every machine.
func linux() *build.Context {
	c := build.Default
	c.GOOS, c.GOARCH = "linux", "amd64"
	return &c
}

// declarations are what a package exports, as "go doc" shows it, without comments.
func declarations(t *testing.T, dir string) []byte {
	t.Helper()
	path := filepath.Join("..", "..", dir)
	found, err := linux().ImportDir(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range found.GoFiles {
		f, err := parser.ParseFile(fset, filepath.Join(path, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	pkg, err := doc.NewFromFiles(fset, files, module+"/"+filepath.ToSlash(dir))
	if err != nil {
		t.Fatal(err)
	}
	p := &page{fset: fset}
	p.values(pkg.Consts, pkg.Vars)
	p.funcs(pkg.Funcs)
	for _, kind := range pkg.Types {
		p.decl(kind.Decl)
		p.values(kind.Consts, kind.Vars)
		p.funcs(kind.Funcs, kind.Methods)
	}
	if p.err != nil {
		t.Fatal(p.err)
	}
	return p.text.Bytes()
}

// page is the text of a golden file.
type page struct {
	fset *token.FileSet
	text bytes.Buffer
	err  error
}

func (p *page) values(groups ...[]*doc.Value) {
	for _, group := range groups {
		for _, v := range group {
			p.decl(v.Decl)
		}
	}
}

func (p *page) funcs(groups ...[]*doc.Func) {
	for _, group := range groups {
		for _, f := range group {
			p.decl(f.Decl)
		}
	}
}

// decl writes a declaration on lines of its own. The file set is left out, so that
// neither comments nor the layout of the source count.
func (p *page) decl(d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		d.Body = nil
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if v, ok := spec.(*ast.ValueSpec); ok && d.Tok == token.VAR {
				v.Values = nil // how a variable is made is no promise
			}
		}
	}
	if err := printer.Fprint(&p.text, token.NewFileSet(), d); err != nil {
		p.err = err
	}
	p.text.WriteString("\n")
}
