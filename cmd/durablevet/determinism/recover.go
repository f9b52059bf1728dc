package determinism

import (
	"go/ast"
	"go/types"
)

// checkRecover reports panics that are swallowed, and middleware that drops the
// error with which an orchestrator continues as new.
func (c *checker) checkRecover(f *function) {
	c.inspect(f, func(n ast.Node, around []ast.Node) {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return
		}
		if c.isBuiltin(call, "recover") && c.swallowed(f, around) {
			c.report(ruleRecover, call, "this recover hides panics, the engine's reports of misuse among them: return an error with the value, or panic again")
		}
		if c.callsNext(f, call) && c.drops(f, around) {
			c.report(ruleRecover, call, "this middleware drops the error of the orchestrator, which may say that it continues as new: return it as it is, or wrapped")
		}
	})
}

// swallowed reports whether what recover returns is used for nothing but a
// comparison with nil.
func (c *checker) swallowed(f *function, around []ast.Node) bool {
	switch s := statement(around).(type) {
	case *ast.ExprStmt:
		return true
	case *ast.AssignStmt:
		id, ok := s.Lhs[0].(*ast.Ident)
		if !ok {
			return false
		}
		obj := c.info.ObjectOf(id)
		return id.Name == "_" || !c.usedAsValue(f, obj)
	case *ast.IfStmt:
		return true // if recover() != nil
	}
	return false
}

// usedAsValue reports whether a variable is used otherwise than in a comparison
// with nil.
func (c *checker) usedAsValue(f *function, obj types.Object) bool {
	used := false
	c.inspect(f, func(n ast.Node, around []ast.Node) {
		id, ok := n.(*ast.Ident)
		if !ok || c.info.Uses[id] != obj {
			return
		}
		comparison, ok := around[len(around)-1].(*ast.BinaryExpr)
		used = used || !ok || !c.info.Types[comparison.X].IsNil() && !c.info.Types[comparison.Y].IsNil()
	})
	return used
}

// callsNext reports whether a call in orchestrator middleware runs what the
// middleware is around.
func (c *checker) callsNext(f *function, call *ast.CallExpr) bool {
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	if !ok {
		return false
	}
	v, ok := c.info.Uses[id].(*types.Var)
	return ok && isDurable(v.Type(), typeOrchestratorHandler) && c.captured(f, v)
}

// drops reports whether the error of a call is not returned.
func (c *checker) drops(f *function, around []ast.Node) bool {
	switch s := statement(around).(type) {
	case *ast.ExprStmt:
		return true
	case *ast.AssignStmt:
		v := c.errorOf(s)
		return v == nil || !c.isReturned(f, v)
	}
	return false
}
