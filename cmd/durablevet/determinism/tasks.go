package determinism

import (
	"go/ast"
	"go/types"
)

// checkTasks reports tasks that nothing can wait for, errors that are dropped,
// and groups of branches that are not waited for.
func (c *checker) checkTasks(f *function) {
	c.inspect(f, func(n ast.Node, _ []ast.Node) {
		if s, ok := n.(*ast.ExprStmt); ok {
			if call, ok := ast.Unparen(s.X).(*ast.CallExpr); ok {
				c.checkDropped(call)
			}
		}
	})
	c.checkGroups(f)
}

func (c *checker) checkDropped(call *ast.CallExpr) {
	t := c.info.TypeOf(call)
	name := durableCall(c.info, call)
	switch {
	case t != nil && isDurable(t, typeTimer):
		c.report(ruleUnawaited, call, "this timer is dropped, so nothing waits for it: wait with ctx.Sleep, or keep the timer")
	case t != nil && isDurable(t, typeTask) && name != "Any":
		advice := "await it, or write _ = if its end does not matter"
		if name == fnOrchestratorCall {
			advice = "await it, or start it with StartDetached"
		}
		c.report(ruleUnawaited, call, "this task is dropped, so its result and its error are lost, and it may be cut off when the orchestrator ends: "+advice)
	case mustCheck[name] && !c.ofTimer(call):
		c.report(ruleUnawaited, call, "the error of "+name+" is dropped: a failure goes unnoticed")
	}
}

// ofTimer reports whether a call is a method of a timer, whose wait fails only
// when it was cancelled.
func (c *checker) ofTimer(call *ast.CallExpr) bool {
	selector, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	return ok && isDurable(c.info.TypeOf(selector.X), typeTimer)
}

// checkGroups reports groups whose branches are begun and not waited for.
func (c *checker) checkGroups(f *function) {
	begun := map[*types.Var]ast.Node{}
	used := map[*types.Var]bool{}
	c.inspect(f, func(n ast.Node, around []ast.Node) {
		id, ok := n.(*ast.Ident)
		if !ok {
			return
		}
		v, ok := c.info.Uses[id].(*types.Var)
		if !ok || !isDurable(v.Type(), typeWaitGroup) || c.captured(f, v) {
			return
		}
		if called(id, around) && durableCall(c.info, around[len(around)-2].(*ast.CallExpr)) == fnWaitGroupGo {
			if begun[v] == nil {
				begun[v] = around[len(around)-2]
			}
			return
		}
		used[v] = true // it is waited for, or somebody else gets it
	})
	for v, at := range begun {
		if !used[v] && !c.waitedInside(f, v) {
			c.report(ruleUnawaited, at, "nothing waits for "+v.Name()+": branches that still run when the orchestrator returns are cut off")
		}
	}
}

// waitedInside reports whether a literal in a function uses a variable for
// anything but Go.
func (c *checker) waitedInside(f *function, v *types.Var) bool {
	for _, inner := range c.all {
		if inner.outer != f {
			continue
		}
		found := false
		c.inspect(inner, func(n ast.Node, _ []ast.Node) {
			id, ok := n.(*ast.Ident)
			found = found || ok && c.info.Uses[id] == v
		})
		if found || c.waitedInside(inner, v) {
			return true
		}
	}
	return false
}
