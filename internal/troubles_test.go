package internal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// trouble is the text of a warning or an error of the product.
type trouble struct {
	// level is WARN or ERROR for what is logged; empty where it varies, and for errors.
	level string
	// required means that docs/troubleshooting.md must have an entry for it.
	required bool
	at       token.Position
}

// troubles are found by their text, in which an ellipsis stands for what varies.
type troubles map[string]trouble

var (
	verb     = regexp.MustCompile(`%(\[\d\])?[-+#.0-9]*[a-zA-Z]`)
	entry    = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|(.*)$")
	wrapping = regexp.MustCompile(`^[^%]*(%[a-z][^%]*)?: %w$`)
)

// Every warning and error that the product logs has an entry on the page, with its
// level, and so have the errors of the command line but those of wrong arguments, and
// those that do no more than to put a subject before a cause. Each entry is a text that
// the product has.
func TestPageOfTroubles(t *testing.T) {
	raw, err := os.ReadFile("../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	entries := map[string]string{}
	for _, m := range entry.FindAllStringSubmatch(string(raw), -1) {
		if _, twice := entries[m[1]]; twice {
			t.Errorf("docs/troubleshooting.md has two entries for %q", m[1])
		}
		entries[m[1]] = m[2]
	}
	found := readTroubles(t)
	for _, text := range slices.Sorted(maps.Keys(found)) {
		said, ok := entries[text]
		switch tr := found[text]; {
		case !ok && tr.required:
			t.Errorf("docs/troubleshooting.md has no entry for this text of %s (%s):\n%s", tr.at, tr.level, text)
		case ok && tr.level != "" && !strings.Contains(said, " "+tr.level+" "):
			t.Errorf("docs/troubleshooting.md: %q is logged as %s", text, tr.level)
		}
	}
	for text := range entries {
		if _, ok := found[text]; !ok {
			t.Errorf("docs/troubleshooting.md has an entry for %q, which is no text of the product", text)
		}
	}
}

// readTroubles reads the source of the product.
func readTroubles(t *testing.T) troubles {
	t.Helper()
	found := troubles{}
	logged := 0
	for _, root := range []string{"../durable", "../durableotel", "../handler", ".", "../cmd/durable"} {
		err := filepath.WalkDir(root, func(dir string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return err
			}
			switch d.Name() {
			case "testdata", "e2e", "programs", "simulation", "mutation", "taskhubtest":
				return filepath.SkipDir
			}
			s := readSource(t, dir)
			s.into = found
			logged += s.collect(t, root == "../cmd/durable")
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if logged < 60 {
		t.Fatalf("found only %d calls that log a warning or an error", logged)
	}
	return found
}

// source is a package without its tests.
type source struct {
	fset  *token.FileSet
	files []*ast.File
	into  troubles
}

func readSource(t *testing.T, dir string) *source {
	t.Helper()
	s := &source{fset: token.NewFileSet()}
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(s.fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		s.files = append(s.files, f)
	}
	return s
}

// collect takes over what the package says, and returns how many calls log.
func (s *source) collect(t *testing.T, tool bool) (logged int) {
	t.Helper()
	asUsage := map[ast.Node]bool{}
	for _, f := range s.files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit: // the error of a wrong argument says what is wanted
				if name, ok := n.Type.(*ast.Ident); ok && name.Name == "usageError" {
					ast.Inspect(n, func(inner ast.Node) bool { asUsage[inner] = true; return true })
				}
			case *ast.CallExpr:
				if level, text := s.record(n); text != nil {
					if logged++; len(text) == 0 {
						t.Errorf("%s: the text of a record cannot be read from the source", s.fset.Position(n.Pos()))
					}
					s.add(t, n, level, text, true)
				} else if text, isError := said(n); text != nil {
					s.add(t, n, "", []ast.Expr{text}, isError && tool && !asUsage[n])
				}
			}
			return true
		})
	}
	return logged
}

// record finds the text of a call that logs a warning or an error. A text that a
// function was given is looked for where that is called.
func (s *source) record(call *ast.CallExpr) (level string, text []ast.Expr) {
	if name, ok := call.Fun.(*ast.Ident); ok && name.Name == "WriteFault" {
		return "ERROR", call.Args[2:3]
	}
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) == 0 {
		return "", nil
	}
	switch f.Sel.Name {
	case "WriteFault":
		return "ERROR", call.Args[2:3]
	case "trouble":
		return "ERROR", []ast.Expr{&ast.BinaryExpr{Op: token.ADD, X: call.Args[0], Y: &ast.BasicLit{Kind: token.STRING, Value: `" for the dashboard failed"`}}}
	}
	if !isLogger(f.X) {
		return "", nil
	}
	switch f.Sel.Name {
	case "Warn", "Error":
		return strings.ToUpper(f.Sel.Name), s.resolve(call.Args[0])
	case "WarnContext", "ErrorContext":
		return strings.ToUpper(strings.TrimSuffix(f.Sel.Name, "Context")), s.resolve(call.Args[1])
	case "Log", "LogAttrs":
		return "", s.resolve(call.Args[2])
	}
	return "", nil
}

func isNamed(x ast.Expr, name string) bool {
	id, ok := x.(*ast.Ident)
	return ok && id.Name == name
}

// isLogger reports whether an expression is named like one of package slog.
func isLogger(x ast.Expr) bool {
	name := ""
	switch x := x.(type) {
	case *ast.Ident:
		name = x.Name
	case *ast.SelectorExpr:
		name = x.Sel.Name
	}
	return slices.Contains([]string{"log", "slog", "logger"}, strings.ToLower(name))
}

// resolve are the values of a variable or constant of the package. nil stands for what
// a function that record knows was given.
func (s *source) resolve(x ast.Expr) (values []ast.Expr) {
	if sum, ok := x.(*ast.BinaryExpr); ok && isNamed(sum.X, "doing") || isNamed(x, "text") {
		return nil
	}
	name, ok := x.(*ast.Ident)
	if !ok {
		return []ast.Expr{x}
	}
	values = []ast.Expr{}
	for _, f := range s.files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for i, v := range n.Values {
					if n.Names[i].Name == name.Name {
						values = append(values, v)
					}
				}
			case *ast.AssignStmt:
				for i, v := range n.Rhs {
					if to, ok := n.Lhs[i].(*ast.Ident); ok && to.Name == name.Name {
						values = append(values, v)
					}
				}
			}
			return true
		})
	}
	return slices.DeleteFunc(values, func(v ast.Expr) bool { _, ok := literal(v); return !ok })
}

// said finds the text of an error that is made here, or of a line that is printed.
// isError is false for a line, and for an error that does no more than to put a
// subject before its cause.
func said(call *ast.CallExpr) (text ast.Expr, isError bool) {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) == 0 {
		return nil, false
	}
	pkg, ok := f.X.(*ast.Ident)
	if !ok {
		return nil, false
	}
	switch pkg.Name + "." + f.Sel.Name {
	case "errors.New", "fmt.Errorf":
		own, ok := literal(call.Args[0])
		return call.Args[0], ok && !wrapping.MatchString(own) && len(strings.Fields(verb.ReplaceAllString(own, ""))) > 3
	case "fmt.Sprintf":
		return call.Args[0], false
	case "fmt.Fprintf":
		return call.Args[1], false
	}
	return nil, false
}

func (s *source) add(t *testing.T, call ast.Node, level string, texts []ast.Expr, required bool) {
	t.Helper()
	at := s.fset.Position(call.Pos())
	for _, x := range texts {
		text, ok := literal(x)
		if !ok && required {
			t.Errorf("%s: the text cannot be read from the source", at)
		}
		text = strings.ReplaceAll(verb.ReplaceAllString(strings.ReplaceAll(text, "%%", "\x00"), "…"), "\x00", "%")
		text, _, _ = strings.Cut(text, "\n")
		text = strings.TrimSuffix(strings.TrimRight(strings.ReplaceAll(text, "`", "'"), " (:"), ": …")
		if text == "…" || text == "" {
			continue
		}
		if before := s.into[text]; !before.required {
			s.into[text] = trouble{level: level, required: required, at: at}
		}
	}
}

// literal is the text of an expression of literals, with an ellipsis for what is not
// one; ok is false when there is none at all.
func literal(x ast.Expr) (text string, ok bool) {
	switch x := x.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(x.Value)
		return text, err == nil && x.Kind == token.STRING
	case *ast.BinaryExpr:
		left, first := literal(x.X)
		right, second := literal(x.Y)
		return left + right, first || second
	}
	return "…", false
}
