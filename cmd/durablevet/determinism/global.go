package determinism

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// isGlobal reports whether a variable is one of a package.
func (c *checker) isGlobal(v *types.Var) bool {
	return v.Pkg() != nil && !v.IsField() && v.Parent() == v.Pkg().Scope()
}

// captured reports whether a function uses a variable that was declared in a
// function around it.
func (c *checker) captured(f *function, v *types.Var) bool {
	return !v.IsField() && !c.isGlobal(v) && (v.Pos() < f.node.Pos() || v.Pos() >= f.node.End())
}

// outside reports whether a variable belongs neither to the function nor to
// code of the same run: to the package, or to code around the orchestrator.
func (c *checker) outside(f *function, v *types.Var) bool {
	if c.isGlobal(v) {
		return true
	}
	for g := f; g != nil; g = g.outer {
		if !c.captured(g, v) {
			return g != f && !g.role.durable() && g.role != recorded
		}
	}
	return false
}

// root is the variable that an expression selects from; nil for anything else.
func (c *checker) root(e ast.Expr) *types.Var {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			v, _ := c.info.ObjectOf(x).(*types.Var)
			return v
		case *ast.ParenExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.SelectorExpr:
			if v, ok := c.info.Uses[x.Sel].(*types.Var); ok && !v.IsField() {
				return v // of another package
			}
			e = x.X
		default:
			return nil
		}
	}
}

// writes finds the package's variables that are written after the program has
// begun: in functions other than init and main. What tests replace for
// themselves is not written in the app.
func (c *checker) writes() {
	for _, f := range c.all {
		if d, ok := f.node.(*ast.FuncDecl); ok && d.Recv == nil && (d.Name.Name == "init" || d.Name.Name == "main") {
			continue
		}
		c.inspect(f, func(n ast.Node, _ []ast.Node) {
			for _, target := range targets(c.info, n) {
				if v := c.root(target); v != nil && c.isGlobal(v) && (!c.isTest(f.file) || c.inTest(v.Pos())) {
					c.written[v] = true
				}
			}
		})
	}
}

// targets are the expressions that a node writes to.
func targets(info *types.Info, n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN {
			return []ast.Expr{n.Key, n.Value}
		}
	case *ast.CallExpr:
		id, ok := ast.Unparen(n.Fun).(*ast.Ident)
		if !ok || len(n.Args) == 0 {
			return nil
		}
		if b, ok := info.Uses[id].(*types.Builtin); ok && (b.Name() == "delete" || b.Name() == "clear" || b.Name() == "copy") {
			return n.Args[:1]
		}
	}
	return nil
}

// isTarget reports whether a name is what is written to where it stands.
func (c *checker) isTarget(id *ast.Ident, around []ast.Node) bool {
	for i := len(around) - 1; i >= 0; i-- {
		for _, target := range targets(c.info, around[i]) {
			if target != nil && target.Pos() <= id.Pos() && id.End() <= target.End() && c.rootIdent(target) == id {
				return true
			}
		}
		if _, ok := around[i].(ast.Stmt); ok {
			return false
		}
	}
	return false
}

// rootIdent is the name at the root of an expression.
func (c *checker) rootIdent(e ast.Expr) *ast.Ident {
	switch x := e.(type) {
	case *ast.Ident:
		return x
	case *ast.ParenExpr:
		return c.rootIdent(x.X)
	case *ast.StarExpr:
		return c.rootIdent(x.X)
	case *ast.IndexExpr:
		return c.rootIdent(x.X)
	case *ast.SliceExpr:
		return c.rootIdent(x.X)
	case *ast.SelectorExpr:
		if v, ok := c.info.Uses[x.Sel].(*types.Var); ok && !v.IsField() {
			return x.Sel
		}
		return c.rootIdent(x.X)
	}
	return nil
}

func (c *checker) observeGlobal(f *function, id *ast.Ident, v *types.Var, around []ast.Node) {
	switch {
	case c.isTarget(id, around):
		f.effects = append(f.effects, effect{rule: ruleGlobal, at: id, what: "a write of the variable " + v.Name() + " of the package", advice: adviceOf[ruleGlobal]})
	case c.written[v] && !isSynchronised(v.Type()):
		f.effects = append(f.effects, effect{rule: ruleGlobal, at: id, what: "the variable " + v.Name() + ", which functions of the package write", advice: adviceOf[ruleGlobal]})
	}
}

// observeOuter takes a write of a variable of the code around an orchestrator.
func (c *checker) observeOuter(f *function, id *ast.Ident, v *types.Var, around []ast.Node) {
	if c.isTarget(id, around) {
		if c.readBack(v) {
			f.effects = append(f.effects, effect{rule: ruleGlobal, at: id, what: "a write of " + v.Name() + ", a variable of the code around the orchestrator, which it reads, too", advice: adviceOf[ruleGlobal]})
		}
	}
}

// readBack reports whether code that is run again reads a variable, otherwise
// than to write it. What is only written, as a test does to see what happened,
// changes nothing.
func (c *checker) readBack(v *types.Var) (read bool) {
	for _, f := range c.all {
		if !f.role.durable() {
			continue
		}
		c.inspect(f, func(n ast.Node, around []ast.Node) {
			id, ok := n.(*ast.Ident)
			read = read || ok && c.info.Uses[id] == v && !c.isTarget(id, around) && !c.inWriteOf(v, around)
		})
	}
	return read
}

// inWriteOf reports whether a name stands in an assignment to the variable.
func (c *checker) inWriteOf(v *types.Var, around []ast.Node) bool {
	s := statement(around)
	return s != nil && slices.ContainsFunc(targets(c.info, s), func(e ast.Expr) bool { return e != nil && c.root(e) == v })
}

// isSynchronised reports whether a type is of sync or sync/atomic, whose
// methods another rule reports.
func isSynchronised(t types.Type) bool {
	n := namedOf(t)
	return n != nil && n.Obj().Pkg() != nil && (n.Obj().Pkg().Path() == "sync" || n.Obj().Pkg().Path() == "sync/atomic")
}

// checkVariables reports Contexts in the package's variables.
func (c *checker) checkVariables() {
	scope := c.pass.Pkg.Scope()
	for _, name := range scope.Names() {
		v, ok := scope.Lookup(name).(*types.Var)
		if ok && (isDurable(v.Type(), coroutineTypes...) || containsContext(v.Type())) {
			c.report(ruleContext, span{v.Pos(), v.Pos() + token.Pos(len(name))}, "the variable "+name+" keeps a Context: a Context belongs to one run of one orchestrator")
		}
	}
}

// containsContext reports whether a struct, slice, map or pointer has a Context in it.
func containsContext(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		s, ok := u.Elem().Underlying().(*types.Struct)
		return ok && !isDurable(u.Elem(), coroutineTypes...) && structHasContext(s)
	case *types.Struct:
		return !isDurable(t, coroutineTypes...) && structHasContext(u)
	case *types.Slice:
		return isContext(u.Elem())
	case *types.Map:
		return isContext(u.Elem()) || isContext(u.Key())
	case *types.Chan:
		return isContext(u.Elem())
	}
	return false
}

func structHasContext(s *types.Struct) bool {
	for field := range s.Fields() {
		if isContext(field.Type()) {
			return true
		}
	}
	return false
}
