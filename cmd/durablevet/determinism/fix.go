package determinism

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// contextName is the name of the Context that code of a function can use; ""
// where there is none of a name.
func (c *checker) contextName(f *function, at token.Pos) string {
	for ; f != nil; f = f.outer {
		if !f.role.inCoroutine() || f.sig == nil {
			return ""
		}
		for v := range f.sig.Params().Variables() {
			if !isContext(v.Type()) || v.Name() == "_" || v.Name() == "" {
				continue
			}
			if scope := c.pass.Pkg.Scope().Innermost(at); scope != nil {
				if _, found := scope.LookupParent(v.Name(), at); found == v {
					return v.Name()
				}
			}
			return ""
		}
	}
	return ""
}

func fix(message string, edits ...analysis.TextEdit) []analysis.SuggestedFix {
	return []analysis.SuggestedFix{{Message: message, TextEdits: edits}}
}

func edit(n ast.Node, text string) analysis.TextEdit {
	return analysis.TextEdit{Pos: n.Pos(), End: n.End(), NewText: []byte(text)}
}

// replace fixes a call of something impure with what the Context has for it;
// nil where that is not safe.
func (c *checker) replace(f *function, call *ast.CallExpr, obj types.Object, around []ast.Node) []analysis.SuggestedFix {
	if call == nil || call.Ellipsis.IsValid() {
		return nil
	}
	ctx := c.contextName(f, call.Pos())
	if ctx == "" {
		return nil
	}
	path, name := obj.Pkg().Path(), obj.Name()
	switch path {
	case "time":
		return c.replaceClock(ctx, name, call, around)
	case "math/rand", "math/rand/v2":
		if method := randMethod(path, name); method != "" {
			return fix("Use "+ctx+".Rand", edit(call.Fun, ctx+".Rand()."+method))
		}
	case "github.com/google/uuid":
		return replaceID(ctx, name, call, around)
	case "log/slog":
		if slices.Contains([]string{"Debug", "DebugContext", "Info", "InfoContext", "Warn", "WarnContext", "Error", "ErrorContext", "Log", "LogAttrs"}, name) && memberName(obj) == name {
			return fix("Use "+ctx+".Logger", edit(call.Fun, ctx+".Logger()."+name))
		}
	}
	return nil
}

func (c *checker) replaceClock(ctx, name string, call *ast.CallExpr, around []ast.Node) []analysis.SuggestedFix {
	message := "Use " + ctx + "'s clock"
	switch name {
	case "Now":
		return fix(message, edit(call.Fun, ctx+".Now"))
	case "Since":
		return fix(message, edit(call, ctx+".Now().Sub("+c.source(call.Args[0])+")"))
	case "Until":
		arg := c.source(call.Args[0])
		switch ast.Unparen(call.Args[0]).(type) {
		case *ast.Ident, *ast.SelectorExpr, *ast.CallExpr, *ast.IndexExpr:
		default:
			arg = "(" + arg + ")"
		}
		return fix(message, edit(call, arg+".Sub("+ctx+".Now())"))
	case "Sleep":
		if len(around) == 0 {
			return nil
		}
		for i := len(around) - 1; i >= 0; i-- {
			switch n := around[i].(type) {
			case *ast.SelectorExpr:
			case *ast.CallExpr:
				if n != call {
					return nil
				}
			case *ast.ExprStmt:
				return fix(message, edit(call.Fun, "_ = "+ctx+".Sleep"))
			default:
				return nil
			}
		}
	}
	return nil
}

// randMethod is the method of math/rand/v2.Rand that does what a function of
// math/rand does.
func randMethod(path, name string) string {
	if path == "math/rand" {
		switch name {
		case "Intn", "Int31n", "Int63n":
			return map[string]string{"Intn": "IntN", "Int31n": "Int32N", "Int63n": "Int64N"}[name]
		case "Int31", "Int63":
			return map[string]string{"Int31": "Int32", "Int63": "Int64"}[name]
		}
	}
	if slices.Contains([]string{"Int", "IntN", "Int32", "Int32N", "Int64", "Int64N", "UintN", "Uint32", "Uint32N", "Uint64", "Uint64N", "Float32", "Float64", "ExpFloat64", "NormFloat64", "Perm", "Shuffle"}, name) {
		return name
	}
	return ""
}

// replaceID fixes uuid.NewString() and uuid.New().String().
func replaceID(ctx, name string, call *ast.CallExpr, around []ast.Node) []analysis.SuggestedFix {
	switch name {
	case "NewString":
		return fix("Use "+ctx+".NewGUID", edit(call.Fun, ctx+".NewGUID"))
	case "New":
		for i := len(around) - 1; i > 0; i-- {
			selector, ok := around[i].(*ast.SelectorExpr)
			if !ok || selector.X != call || selector.Sel.Name != "String" {
				continue
			}
			if outer, ok := around[i-1].(*ast.CallExpr); ok && outer.Fun == selector {
				return fix("Use "+ctx+".NewGUID", edit(outer, ctx+".NewGUID()"))
			}
		}
	}
	return nil
}

// source is the text of an expression.
func (c *checker) source(e ast.Expr) string { return types.ExprString(e) }

// sortedRange fixes a loop over a map: it goes over the sorted keys.
func (c *checker) sortedRange(f *function, loop *ast.RangeStmt, _ []ast.Node) []analysis.SuggestedFix {
	m, isMap := c.info.TypeOf(loop.X).Underlying().(*types.Map)
	key, ok := loop.Key.(*ast.Ident)
	if !isMap || !ok || key.Name == "_" || loop.Tok != token.DEFINE || !isOrdered(m.Key()) || c.root(loop.X) == nil || !simple(loop.X) {
		return nil
	}
	of := c.root(loop.X)
	changes := contains(loop.Body, func(n ast.Node) bool {
		return slices.ContainsFunc(targets(c.info, n), func(e ast.Expr) bool { return e != nil && c.root(e) == of })
	})
	if changes || c.shadowed(loop.Pos(), "maps") || c.shadowed(loop.Pos(), "slices") {
		return nil
	}
	text := c.source(loop.X)
	edits := []analysis.TextEdit{{Pos: loop.Key.Pos(), End: loop.X.End(), NewText: []byte("_, " + key.Name + " := range slices.Sorted(maps.Keys(" + text + "))")}}
	if value, ok := loop.Value.(*ast.Ident); ok && value.Name != "_" {
		edits = append(edits, analysis.TextEdit{Pos: loop.Body.Lbrace + 1, End: loop.Body.Lbrace + 1, NewText: []byte("\n" + value.Name + " := " + text + "[" + key.Name + "]")})
	}
	imports, ok := c.imports(f.file, "maps", "slices")
	if !ok {
		return nil
	}
	return fix("Range over the sorted keys", append(edits, imports...)...)
}

func simple(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return true
	case *ast.SelectorExpr:
		return simple(e.X)
	}
	return false
}

func isOrdered(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsOrdered != 0
}

// shadowed reports whether a name means something else than an import at a place.
func (c *checker) shadowed(at token.Pos, name string) bool {
	scope := c.pass.Pkg.Scope().Innermost(at)
	if scope == nil {
		return true
	}
	_, obj := scope.LookupParent(name, at)
	_, isImport := obj.(*types.PkgName)
	return obj != nil && !isImport
}

// imports adds the imports of the standard library that a file lacks. ok is
// false where the file has no list of imports in parentheses.
func (c *checker) imports(file *ast.File, paths ...string) (edits []analysis.TextEdit, ok bool) {
	var missing []string
	for _, path := range paths {
		if !slices.ContainsFunc(file.Imports, func(s *ast.ImportSpec) bool { return s.Path.Value == strconv.Quote(path) && s.Name == nil }) {
			missing = append(missing, "\t"+strconv.Quote(path)+"\n")
		}
	}
	if len(missing) == 0 {
		return nil, true
	}
	for _, decl := range file.Decls {
		if d, ok := decl.(*ast.GenDecl); ok && d.Tok == token.IMPORT && d.Lparen.IsValid() && len(d.Specs) > 0 {
			at := d.Specs[0].Pos()
			text := strings.TrimPrefix(strings.Join(missing, ""), "\t") + "\t"
			return []analysis.TextEdit{{Pos: at, End: at, NewText: []byte(text)}}, true
		}
	}
	return nil, false
}
