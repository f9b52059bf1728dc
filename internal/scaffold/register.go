package scaffold

import (
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
)

// registration is how a function is made known to the app in main.go.
type registration struct {
	kind Kind
	// alias and path are the import of the function's package.
	alias, path string
	// name is that of the function.
	name string
}

func (c code) registration(kind Kind) registration {
	return registration{kind: kind, alias: c.Package, path: c.Import, name: c.Name}
}

// value is what is registered.
func (r registration) value() string {
	switch r.kind {
	case Orchestrator:
		return r.alias + ".Orchestrator"
	case Activity:
		return r.alias + ".Activity"
	}
	return r.alias + ".Entity"
}

// line is the statement that registers the function, in a file that knows the app and
// the package durable by these names.
func (r registration) line(app, durable string) string {
	switch r.kind {
	case HTTP:
		return fmt.Sprintf("%s.HandleHTTP(%q, %s.Handler(%s.Client()))", app, r.name, r.alias, app)
	case Trigger:
		return fmt.Sprintf("%s.HandleTrigger(%s, %q, %s.Handler(%s.Client()))", durable, app, r.name, r.alias, app)
	}
	return fmt.Sprintf("%s.Register(%s)", app, r.value())
}

// PlaceError means that main.go has no place where a function can be registered.
type PlaceError struct {
	// Reason says what is not there.
	Reason string
	// Import and Line are what to add by hand.
	Import, Line string
}

func (e *PlaceError) Error() string {
	return fmt.Sprintf("main.go: %s. Nothing was changed. Register the function yourself where the app is made:\n\n\t%s\n\nwith the import\n\n\t%s\n", e.Reason, e.Line, e.Import)
}

// register returns main.go with the registration. What is there stays as it is, but
// for gofmt.
func register(src []byte, r registration) ([]byte, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "main.go", src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("reading %w", err)
	}
	if usedName(file, r.alias) {
		return nil, wrongName("%s: its package would be called %s, a name that main.go uses already; choose another name", r.name, r.alias)
	}
	e := &edit{src: src, file: file, fset: fset}
	e.durable = importName(file, product+"/durable")
	b := e.findBody()
	if b == nil {
		reason := "it has no durable.NewApp() whose result a variable gets"
		return nil, &PlaceError{reason, fmt.Sprintf("%s %q", r.alias, r.path), r.line("app", "durable")}
	}
	e.addStatement(b, r)
	e.addImport(r)
	return format.Source(e.apply())
}

// importName is the name of an import in a file; "" where it is not imported.
func importName(file *ast.File, importPath string) string {
	for _, spec := range file.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil || p != importPath {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(p)
	}
	return ""
}

// usedName reports whether a file has an import or an identifier of that name.
func usedName(file *ast.File, name string) (used bool) {
	for _, spec := range file.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		used = used || spec.Name == nil && path.Base(p) == name
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok { // the part behind the dot is of another scope
			ast.Inspect(sel.X, func(n ast.Node) bool {
				id, ok := n.(*ast.Ident)
				used = used || ok && id.Name == name
				return true
			})
			return false
		}
		id, ok := n.(*ast.Ident)
		used = used || ok && id.Name == name
		return true
	})
	return used
}

// body is a function of main.go that knows the app.
type body struct {
	app string // the app's variable
	// made is the statement that makes the app; nil where the app is a parameter.
	made ast.Stmt
	// start is the position behind the opening brace.
	start token.Pos
	// registers, https and triggers are the statements that register functions.
	registers, https, triggers []*ast.CallExpr
}

// findBody returns the function that registers most; nil where none knows the app.
func (e *edit) findBody() (best *body) {
	if e.durable == "" {
		return nil
	}
	count := func(b *body) int { return len(b.registers) + len(b.https) + len(b.triggers) }
	for _, d := range e.file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		if b := e.bodyOf(f); b != nil && (best == nil || count(b) > count(best)) {
			best = b
		}
	}
	return best
}

// bodyOf looks for the app among the parameters and the statements of a function.
func (e *edit) bodyOf(f *ast.FuncDecl) *body {
	b := &body{start: f.Body.Lbrace + 1}
	for _, p := range f.Type.Params.List {
		star, ok := p.Type.(*ast.StarExpr)
		if ok && e.isDurable(star.X, "App") && len(p.Names) == 1 {
			b.app = p.Names[0].Name
		}
	}
	for _, s := range f.Body.List {
		switch s := s.(type) {
		case *ast.AssignStmt:
			if call, ok := s.Rhs[0].(*ast.CallExpr); ok && len(s.Lhs) == 1 && e.isDurable(call.Fun, "NewApp") {
				if id, ok := s.Lhs[0].(*ast.Ident); ok {
					b.app, b.made = id.Name, s
				}
			}
		case *ast.ExprStmt:
			if call, ok := s.X.(*ast.CallExpr); ok {
				b.note(e, call)
			}
		}
	}
	if b.app == "" {
		return nil
	}
	return b
}

// isDurable reports whether an expression is a name of package durable.
func (e *edit) isDurable(x ast.Expr, name string) bool {
	sel, ok := x.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != name {
		return false
	}
	id, ok := sel.X.(*ast.Ident)
	return ok && id.Name == e.durable
}

// note remembers a call that registers functions of the app.
func (b *body) note(e *edit, call *ast.CallExpr) {
	if e.isDurable(call.Fun, "HandleTrigger") {
		b.triggers = append(b.triggers, call)
		return
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return
	}
	if id, ok := sel.X.(*ast.Ident); !ok || id.Name != b.app || b.app == "" {
		return
	}
	switch sel.Sel.Name {
	case "Register":
		b.registers = append(b.registers, call)
	case "HandleHTTP":
		b.https = append(b.https, call)
	}
}

// widest is how long a line may become before a registration gets one of its own.
const widest = 100

// addStatement registers the function: as one more argument where there is room, else
// behind the statements of its kind.
func (e *edit) addStatement(b *body, r registration) {
	line := "\n" + r.line(b.app, e.durable)
	var after []*ast.CallExpr
	switch r.kind {
	case HTTP:
		after = slices.Concat(b.registers, b.triggers, b.https)
	case Trigger:
		after = slices.Concat(b.registers, b.https, b.triggers)
	default:
		after = b.registers
		if n := len(after); n > 0 && e.addArgument(after[n-1], r.value()) {
			return
		}
	}
	switch {
	case len(after) > 0:
		e.insertAt(e.lineEnd(after[len(after)-1].End()), line)
	case b.made != nil:
		e.insertAt(e.lineEnd(b.made.End()), line)
	default:
		e.insertAt(e.offset(b.start), line)
	}
}

// addArgument adds an argument to a call of Register, and reports whether there was
// room for it.
func (e *edit) addArgument(call *ast.CallExpr, value string) bool {
	if len(call.Args) == 0 || call.Ellipsis.IsValid() {
		return false
	}
	last := call.Args[len(call.Args)-1]
	if e.line(last.End()) != e.line(call.Rparen) { // one argument a line
		e.insertAt(e.offset(last.End()), ",\n"+value)
		return true
	}
	if e.fset.Position(call.Rparen).Column+len(value) > widest {
		return false
	}
	e.insertAt(e.offset(last.End()), ", "+value)
	return true
}

// addImport imports the function's package.
func (e *edit) addImport(r registration) {
	spec := fmt.Sprintf("%s %q", r.alias, r.path)
	for _, d := range e.file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.IMPORT {
			continue
		}
		if !g.Lparen.IsValid() {
			e.insertAt(e.lineEnd(g.End()), "\nimport "+spec)
			return
		}
		e.insertAt(e.lineEnd(g.Specs[len(g.Specs)-1].End()), "\n"+spec)
		return
	}
}
