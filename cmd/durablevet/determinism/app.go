package determinism

import (
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// checkApp reports mistakes in how an app is made, filled and run.
func (c *checker) checkApp() {
	for _, f := range c.all {
		d, ok := f.node.(*ast.FuncDecl)
		if !ok || c.isTest(f.file) || c.implements(f.file) {
			continue
		}
		if c.pass.Pkg.Name() == "main" && d.Recv == nil && d.Name.Name == "main" {
			c.checkMain(d)
		}
		c.checkRun(d.Body.List)
		c.checkRegistrations(f)
	}
}

// harmlessBefore are the functions that may be called before NewApp.
var harmlessBefore = []string{"context.Background", "context.TODO"}

// checkMain reports what main does before it makes the app: the supervisor's
// process does it, too.
func (c *checker) checkMain(d *ast.FuncDecl) {
	for i, s := range d.Body.List {
		if c.callIn(s, fnNewApp) == nil {
			continue
		}
		for _, before := range d.Body.List[:i] {
			if at := c.firstCall(before); at != nil {
				c.report(ruleMain, at, "this runs before durable.NewApp, and so in the process that only keeps the app running, too: make the app first")
				break
			}
		}
		return
	}
}

// firstCall is the first call in a statement that does something.
func (c *checker) firstCall(s ast.Stmt) (found *ast.CallExpr) {
	ast.Inspect(s, func(n ast.Node) bool {
		if _, ok := n.(*ast.FuncLit); ok || found != nil {
			return false
		}
		if call, ok := n.(*ast.CallExpr); ok {
			f := callee(c.info, call)
			if f == nil || !slices.Contains(harmlessBefore, nameOf(f)) {
				if !c.info.Types[call.Fun].IsType() && !c.info.Types[call.Fun].IsBuiltin() {
					found = call
				}
			}
		}
		return found == nil
	})
	return found
}

// callIn finds a call of a durable function in a tree.
func (c *checker) callIn(tree ast.Node, name string) (found *ast.CallExpr) {
	ast.Inspect(tree, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && found == nil && durableCall(c.info, call) == name {
			found = call
		}
		return found == nil
	})
	return found
}

// checkRun reports a Run whose error is dropped, and what comes after it.
func (c *checker) checkRun(list []ast.Stmt) {
	ran := false
	for _, s := range list {
		if ran {
			ast.Inspect(s, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok && changesApp(durableCall(c.info, call)) {
					c.report(ruleMain, call, "this comes after App.Run, which returns when the app has ended: do it before")
				}
				return true
			})
		}
		if e, ok := s.(*ast.ExprStmt); ok {
			if call, ok := ast.Unparen(e.X).(*ast.CallExpr); ok && durableCall(c.info, call) == fnRun {
				c.report(ruleMain, call, "the error of App.Run is dropped: a process that ends without one is not started again; write log.Fatal("+types.ExprString(call)+")")
			}
		}
		if _, isGo := s.(*ast.GoStmt); !isGo && c.callIn(s, fnRun) != nil && !inOther(s) {
			ran = true
		}
	}
}

// inOther reports whether a statement only makes a function, or is a condition.
func inOther(s ast.Stmt) bool {
	return contains(s, func(n ast.Node) bool { _, ok := n.(*ast.FuncLit); return ok })
}

// changesApp reports whether a function fills an app.
func changesApp(name string) bool {
	return strings.HasPrefix(name, typeApp+".") && (strings.HasPrefix(name, typeApp+".Use") || strings.HasPrefix(name, typeApp+".Handle") || name == fnRegister) || name == "HandleTrigger"
}

// checkRegistrations reports functions of one name, and declarations without
// code, among what a function registers; and names that are misspelt in the app.
func (c *checker) checkRegistrations(f *function) {
	seen := map[ast.Node]map[string]string{} // by block: those in others may be for another case
	var whole analysis.Range
	c.inspect(f, func(n ast.Node, around []ast.Node) {
		call, ok := n.(*ast.CallExpr)
		if !ok || durableCall(c.info, call) != fnRegister {
			return
		}
		if whole == nil {
			whole = call
		}
		in := block(around)
		if seen[in] == nil {
			seen[in] = map[string]string{}
		}
		first := seen[in]
		for _, arg := range call.Args {
			d := c.definitionOf(arg)
			if d == nil {
				continue
			}
			if d.Declared {
				c.report(ruleNames, arg, fmt.Sprintf("%s %q is declared, not implemented: register what Implement returns", d.Kind, d.Name))
				continue
			}
			if other := first[d.key()]; other != "" && other != types.ExprString(arg) {
				c.report(ruleNames, arg, fmt.Sprintf("%s and %s are both the %s %q", other, types.ExprString(arg), d.Kind, d.Name))
			}
			first[d.key()] = types.ExprString(arg)
		}
	})
	if whole != nil && c.pass.Pkg.Name() == "main" {
		c.checkNamedCalls(whole)
	}
}

// block is the innermost list of statements around a node.
func block(around []ast.Node) ast.Node {
	for i := len(around) - 1; i >= 0; i-- {
		switch around[i].(type) {
		case *ast.BlockStmt, *ast.CaseClause:
			return around[i]
		}
	}
	return nil
}

// definitionOf is the definition that an expression is; nil when that is not
// known.
func (c *checker) definitionOf(e ast.Expr) *definition {
	var obj types.Object
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		obj = c.info.Uses[e]
	case *ast.SelectorExpr:
		obj = c.info.Uses[e.Sel]
	}
	v, ok := obj.(*types.Var)
	if !ok || v.IsField() || c.written[v] {
		return nil
	}
	var fact namedFact
	if !c.pass.ImportObjectFact(v, &fact) {
		return nil
	}
	return &fact.Definition
}

// checkPatches reports names of patches that are not constant, and that guard
// two places.
func (c *checker) checkPatches(f *function) {
	first := map[string]string{}
	c.inspect(f, func(n ast.Node, _ []ast.Node) {
		call, ok := n.(*ast.CallExpr)
		if !ok || durableCall(c.info, call) != fnPatched {
			return
		}
		at := call.Args[apis[fnPatched].name]
		name, ok := c.constant(at)
		switch {
		case !ok:
			c.report(rulePatch, at, "the name of a patch is not constant: which change it guards must be plain, and the same in each replay")
		case first[name] != "":
			c.report(rulePatch, at, fmt.Sprintf("the patch %q guards another place, too (%s): a later change needs a name of its own; for one change ask once, and keep the answer", name, first[name]))
		default:
			first[name] = c.place(call.Pos())
		}
	})
}
