package determinism

import (
	"go/ast"
	"go/types"
)

// apartNames say what a closure is, in a text.
var apartNames = map[role]string{
	apart: "an activity or a step", recorded: "a side effect", decision: "the Handle function of a retry policy",
}

// checkContextUse reports uses of a captured Context, or of what was made from
// it, in code that does not run in the coroutine.
func (c *checker) checkContextUse(f *function) {
	c.inspect(f, func(n ast.Node, around []ast.Node) {
		id, ok := n.(*ast.Ident)
		if !ok {
			return
		}
		v, ok := c.info.Uses[id].(*types.Var)
		if !ok || v.IsField() || !c.captured(f, v) && !c.isGlobal(v) {
			return
		}
		switch {
		case isContext(v.Type()):
			c.report(ruleContext, id, "the Context is used in "+apartNames[f.role]+", which does not run in the orchestrator: take the value before, and capture that")
		case isDurable(v.Type(), typeTask, typeTimer, typeWaitGroup, typeEvents) && called(id, around):
			c.report(ruleContext, id, v.Name()+" is waited for in "+apartNames[f.role]+", which does not run in the orchestrator: wait before, and capture the result")
		}
	})
}

// called reports whether a name is the receiver of a call.
func called(id *ast.Ident, around []ast.Node) bool {
	if len(around) < 2 {
		return false
	}
	selector, ok := around[len(around)-1].(*ast.SelectorExpr)
	if !ok || selector.X != id {
		return false
	}
	call, ok := around[len(around)-2].(*ast.CallExpr)
	return ok && call.Fun == selector
}

// checkCaptures reports writes of captured variables in closures that a replay
// does not run: what they wrote is missing there.
func (c *checker) checkCaptures(f *function) {
	if f.outer == nil || f.role == decision || !f.outer.role.inCoroutine() {
		return
	}
	c.inspect(f, func(n ast.Node, _ []ast.Node) {
		for _, target := range targets(c.info, n) {
			if target == nil {
				continue
			}
			if v := c.root(target); v != nil && c.captured(f, v) && !c.outside(f, v) {
				c.report(ruleCapture, target, apartNames[f.role]+" writes the captured variable "+v.Name()+", and a replay does not run it: return the value instead")
			}
		}
	})
}
