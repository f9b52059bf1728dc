package determinism

import (
	"go/ast"
	"go/token"
	"go/types"
)

// checkDefers reports deferred calls that use the Context although nothing has
// failed: they run also whenever the orchestrator leaves memory, where such a
// call only ends the deferred function.
func (c *checker) checkDefers(f *function) {
	c.inspect(f, func(n ast.Node, _ []ast.Node) {
		s, ok := n.(*ast.DeferStmt)
		if !ok {
			return
		}
		if lit, ok := ast.Unparen(s.Call.Fun).(*ast.FuncLit); ok {
			c.checkDeferred(lit)
			return
		}
		if c.asks(s.Call) {
			c.reportDefer(s.Call)
		}
	})
}

func (c *checker) reportDefer(at ast.Node) {
	c.report(ruleDefer, at, "a deferred call of the Context runs also whenever the orchestrator leaves memory, and does nothing there: call it before the return, or only where the error of the orchestrator is not nil")
}

// asks reports whether a call asks something of the engine that a deferred
// function should not ask.
func (c *checker) asks(call *ast.CallExpr) bool {
	return entersCoroutine(c.info, call) && (!passive[durableCall(c.info, call)] || durableCall(c.info, call) == "")
}

// checkDeferred looks at a deferred literal, up to where it looks at an error.
func (c *checker) checkDeferred(lit *ast.FuncLit) {
	for _, s := range lit.Body.List {
		if branch, ok := s.(*ast.IfStmt); ok {
			if c.looksAtError(branch.Cond) || branch.Init != nil && c.looksAtError(branch.Init) {
				if len(branch.Body.List) > 0 && ends(branch.Body) {
					return // if err == nil { return }
				}
				if branch.Else == nil {
					continue
				}
			}
		}
		if call := c.firstAsk(s); call != nil {
			c.reportDefer(call)
			return
		}
	}
}

func ends(b *ast.BlockStmt) bool {
	_, ok := b.List[len(b.List)-1].(*ast.ReturnStmt)
	return ok
}

func (c *checker) firstAsk(s ast.Stmt) (found *ast.CallExpr) {
	ast.Inspect(s, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && found == nil && c.asks(call) {
			found = call
		}
		return found == nil
	})
	return found
}

// looksAtError reports whether a condition compares an error, or what recover
// returned, with nil.
func (c *checker) looksAtError(n ast.Node) bool {
	return contains(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			t := c.info.TypeOf(n.X)
			if n.Op != token.NEQ && n.Op != token.EQL || t == nil {
				return false
			}
			return isError(t) || types.IsInterface(t)
		case *ast.CallExpr:
			f := callee(c.info, n)
			return c.isBuiltin(n, "recover") || f != nil && f.Pkg() != nil && f.Pkg().Path() == "errors"
		}
		return false
	})
}
