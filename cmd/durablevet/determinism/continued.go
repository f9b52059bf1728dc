package determinism

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/types"
	"slices"

	"golang.org/x/tools/go/analysis"
)

// checkContinue reports calls of ContinueAsNew that do nothing.
func (c *checker) checkContinue(f *function) {
	c.inspect(f, func(n ast.Node, around []ast.Node) {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return
		}
		switch durableCall(c.info, call) {
		case fnContinueAsNew, fnContinueAsNewMethod, fnContextContinue:
		default:
			return
		}
		if f.role == branch {
			c.report(ruleContinue, call, "ContinueAsNew in a branch: it is for the orchestrator itself, after its branches have ended")
			return
		}
		c.checkContinued(f, call, around)
	})
}

func (c *checker) checkContinued(f *function, call *ast.CallExpr, around []ast.Node) {
	const text = "ContinueAsNew does nothing by itself: return what it returns"
	switch s := statement(around).(type) {
	case *ast.ExprStmt:
		c.report(ruleContinue, call, text, c.returned(f, s, call, around)...)
	case *ast.AssignStmt:
		v := c.errorOf(s)
		if v == nil || !c.isReturned(f, v) {
			c.report(ruleContinue, call, text)
			return
		}
		if later := c.waitsAfter(s, around); later != nil {
			c.report(ruleContinue, later, "a call after ContinueAsNew: the execution has nothing more to do but return")
		}
	}
}

// errorOf is the variable that an assignment puts an error into; nil when it is
// dropped.
func (c *checker) errorOf(s *ast.AssignStmt) *types.Var {
	for _, left := range s.Lhs {
		id, ok := left.(*ast.Ident)
		if !ok || id.Name == "_" {
			continue
		}
		if v, ok := c.info.ObjectOf(id).(*types.Var); ok && isError(v.Type()) {
			return v
		}
	}
	return nil
}

func isError(t types.Type) bool {
	return types.Identical(t, types.Universe.Lookup("error").Type())
}

// isReturned reports whether a variable is part of what a function returns.
func (c *checker) isReturned(f *function, v *types.Var) bool {
	if f.sig != nil {
		for result := range f.sig.Results().Variables() {
			if result == v {
				return true
			}
		}
	}
	found := false
	c.inspect(f, func(n ast.Node, _ []ast.Node) {
		if r, ok := n.(*ast.ReturnStmt); ok {
			found = found || c.mentions(r, []types.Object{v})
		}
	})
	return found
}

// waitsAfter finds a call into the coroutine between a statement and the
// return that follows it.
func (c *checker) waitsAfter(s ast.Stmt, around []ast.Node) (later analysis.Range) {
	for _, next := range following(s, around) {
		if _, ok := next.(*ast.ReturnStmt); ok {
			return nil
		}
		ast.Inspect(next, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && later == nil && waits(c.info, call) {
				later = call
			}
			return later == nil
		})
		if later != nil {
			return later
		}
	}
	return nil
}

// following are the statements of a block after one of them.
func following(s ast.Stmt, around []ast.Node) []ast.Stmt {
	for i := len(around) - 1; i >= 0; i-- {
		var list []ast.Stmt
		switch n := around[i].(type) {
		case *ast.BlockStmt:
			list = n.List
		case *ast.CaseClause:
			list = n.Body
		default:
			continue
		}
		if at := slices.Index(list, s); at >= 0 {
			return list[at+1:]
		}
	}
	return nil
}

// returned fixes a call of ContinueAsNew that is a statement of its own: its
// results are returned, in place of what the next statement returns.
func (c *checker) returned(f *function, s *ast.ExprStmt, call *ast.CallExpr, around []ast.Node) []analysis.SuggestedFix {
	if isError(c.info.TypeOf(call)) {
		return c.returnedError(s, call, following(s, around))
	}
	results, ok := c.info.TypeOf(call).(*types.Tuple)
	if !ok || f.sig == nil || inLiteral(around) || results.Len() != f.sig.Results().Len() {
		return nil
	}
	for i := range results.Len() {
		if !types.Identical(results.At(i).Type(), f.sig.Results().At(i).Type()) {
			return nil
		}
	}
	edits := []analysis.TextEdit{{Pos: s.Pos(), End: s.Pos(), NewText: []byte("return ")}}
	switch rest := following(s, around); {
	case len(rest) == 0:
	case len(rest) == 1:
		last, ok := rest[0].(*ast.ReturnStmt)
		if !ok {
			return nil
		}
		edits = append(edits, analysis.TextEdit{Pos: s.End(), End: last.End()})
	default:
		return nil
	}
	return fix("Return it", edits...)
}

// returnedError puts a call that returns an error alone in the place of the nil
// that the next statement returns.
func (c *checker) returnedError(s *ast.ExprStmt, call *ast.CallExpr, rest []ast.Stmt) []analysis.SuggestedFix {
	if len(rest) != 1 {
		return nil
	}
	last, ok := rest[0].(*ast.ReturnStmt)
	if !ok || len(last.Results) == 0 {
		return nil
	}
	end := last.Results[len(last.Results)-1]
	var text bytes.Buffer
	if !c.info.Types[end].IsNil() || format.Node(&text, c.pass.Fset, call) != nil {
		return nil
	}
	return fix("Return it",
		analysis.TextEdit{Pos: s.Pos(), End: last.Pos()},
		analysis.TextEdit{Pos: end.Pos(), End: end.End(), NewText: text.Bytes()})
}
