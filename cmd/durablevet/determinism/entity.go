package determinism

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"
)

// checkView reports views that change what their copy of the state refers to:
// a map, an element of a slice, what a pointer points to.
func (c *checker) checkView(f *function) {
	c.inspect(f, func(n ast.Node, _ []ast.Node) {
		call, ok := n.(*ast.CallExpr)
		if !ok || durableCall(c.info, call) != fnNewView {
			return
		}
		if i := apis[fnNewView].fn; i < len(call.Args) {
			if view := c.codeOf(call.Args[i]); view != nil {
				c.checkViewCode(view)
			}
		}
	})
}

// codeOf is the function of this package that an expression is; nil when there
// is none.
func (c *checker) codeOf(e ast.Expr) *function {
	switch e := ast.Unparen(e).(type) {
	case *ast.FuncLit:
		if f := c.byLiteral[e]; f != nil {
			return f
		}
	case *ast.Ident:
		return c.byObject[c.info.Uses[e]]
	case *ast.SelectorExpr:
		return c.byObject[c.info.Uses[e.Sel]]
	}
	return nil
}

func (c *checker) checkViewCode(view *function) {
	state := stateOf(view.sig)
	if state == nil {
		return
	}
	c.inspect(view, func(n ast.Node, _ []ast.Node) {
		for _, target := range targets(c.info, n) {
			call, deletes := n.(*ast.CallExpr)
			if target != nil && c.root(target) == state && (c.reaches(target) || deletes && !c.isBuiltin(call, "append")) {
				c.report(ruleEntity, target, "a view changes the entity's state: it works on a copy whose maps, slices and pointers are the state's; use an operation")
			}
		}
	})
}

// stateOf is the state that a view gets: its receiver, or its first parameter.
func stateOf(sig *types.Signature) *types.Var {
	switch {
	case sig == nil:
		return nil
	case sig.Recv() != nil:
		return sig.Recv()
	case sig.Params().Len() > 0:
		return sig.Params().At(0)
	}
	return nil
}

// reaches reports whether an expression goes through a map, a slice or a
// pointer.
func (c *checker) reaches(e ast.Expr) bool {
	switch x := e.(type) {
	case *ast.ParenExpr:
		return c.reaches(x.X)
	case *ast.StarExpr:
		return true
	case *ast.SelectorExpr:
		if t := c.info.TypeOf(x.X); t != nil {
			if _, ok := t.Underlying().(*types.Pointer); ok {
				return true
			}
		}
		return c.reaches(x.X)
	case *ast.IndexExpr:
		if t := c.info.TypeOf(x.X); t != nil {
			if _, isArray := t.Underlying().(*types.Array); !isArray {
				return true
			}
		}
		return c.reaches(x.X)
	}
	return false
}

// checkCritical reports what a critical section must not do: begin another,
// call orchestrations, or call entities that are not locked.
func (c *checker) checkCritical(f *function) {
	c.inspect(f, func(n ast.Node, _ []ast.Node) {
		call, ok := n.(*ast.CallExpr)
		if !ok || durableCall(c.info, call) != fnCritical || len(call.Args) < 2 {
			return
		}
		if section := c.codeOf(call.Args[apis[fnCritical].fn]); section != nil {
			c.checkSection(section, c.locked(call.Args[2:]))
		}
	})
}

// locked are the constant keys of the ids that a critical section locks, by the
// entity and the key; nil where some are not known.
func (c *checker) locked(ids []ast.Expr) map[string]bool {
	keys := map[string]bool{}
	for _, id := range ids {
		call, ok := ast.Unparen(id).(*ast.CallExpr)
		if !ok || durableCall(c.info, call) != fnEntityID || len(call.Args) != 1 {
			return nil
		}
		key, ok := c.constant(call.Args[0])
		if !ok {
			return nil
		}
		keys[key] = true
	}
	return keys
}

func (c *checker) checkSection(section *function, locked map[string]bool) {
	c.inspect(section, func(n ast.Node, _ []ast.Node) {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return
		}
		switch name := durableCall(c.info, call); name {
		case fnCritical:
			c.report(ruleEntity, call, "a critical section in another: lock all entities at once")
		case fnOrchestratorCall, fnOrchestratorByName, typeOrchestrator + ".StartDetached":
			c.report(ruleEntity, call, "an orchestration is called in a critical section, which holds its locks as long as that takes: call it before or after")
		case fnOperationCall:
			if key, ok := c.constantArgument(call, 1); ok && locked != nil && !locked[key] {
				c.report(ruleEntity, call, fmt.Sprintf("the entity %q is called in a critical section that does not lock it", key))
			}
		case "":
			c.checkNested(call)
		}
	})
}

// checkNested reports a helper that begins a critical section of its own.
func (c *checker) checkNested(call *ast.CallExpr) {
	f := callee(c.info, call)
	if f == nil {
		return
	}
	if code := c.byObject[f]; code != nil && c.callIn(code.body, fnCritical) != nil {
		c.report(ruleEntity, call, strings.TrimSpace(f.Name()+" begins a critical section in another: lock all entities at once"))
	}
}

func (c *checker) constantArgument(call *ast.CallExpr, i int) (string, bool) {
	if i >= len(call.Args) {
		return "", false
	}
	return c.constant(call.Args[i])
}
