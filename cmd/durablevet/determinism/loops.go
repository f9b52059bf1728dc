package determinism

import (
	"go/ast"
	"go/constant"
	"go/token"
)

// checkLoops reports loops without an end: their history grows until it is too
// large to be replayed.
func (c *checker) checkLoops(f *function) {
	c.inspect(f, func(n ast.Node, around []ast.Node) {
		loop, ok := n.(*ast.ForStmt)
		if !ok || loop.Cond != nil && !c.isTrue(loop.Cond) || c.leaves(loop, label(loop, around)) {
			return
		}
		text := "this loop never ends, and waits for nothing: it takes a core until the engine gives the instance up"
		if contains(loop.Body, func(n ast.Node) bool { call, ok := n.(*ast.CallExpr); return ok && waits(c.info, call) }) {
			text = "this loop never ends, so the history only grows: return ctx.ContinueAsNew after a number of rounds"
		}
		c.report(ruleEndless, span{loop.For, loop.For + token.Pos(len("for"))}, text)
	})
}

func (c *checker) isTrue(e ast.Expr) bool {
	v := c.info.Types[e].Value
	return v != nil && v.Kind() == constant.Bool && constant.BoolVal(v)
}

// label is the label of a statement.
func label(s ast.Stmt, around []ast.Node) string {
	if len(around) > 0 {
		if l, ok := around[len(around)-1].(*ast.LabeledStmt); ok && l.Stmt == s {
			return l.Label.Name
		}
	}
	return ""
}

// leaves reports whether code of a loop can leave it.
func (c *checker) leaves(loop *ast.ForStmt, name string) bool {
	leaves := false
	var visit func(n ast.Node, inner bool)
	visit = func(n ast.Node, inner bool) {
		ast.Inspect(n, func(m ast.Node) bool {
			if m == n || m == nil {
				return m != nil
			}
			switch m := m.(type) {
			case *ast.FuncLit:
				return false
			case *ast.ReturnStmt:
				leaves = true
			case *ast.BranchStmt:
				leaves = leaves || m.Tok == token.GOTO || m.Tok == token.BREAK && (m.Label == nil && !inner || m.Label != nil && m.Label.Name == name) || m.Label != nil && m.Label.Name != name
			case *ast.CallExpr:
				leaves = leaves || c.isBuiltin(m, "panic") || c.ends(m)
			case *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
				visit(m, true)
				return false
			}
			return true
		})
	}
	visit(loop.Body, false)
	return leaves
}

// ends reports whether a call ends the goroutine or the process.
func (c *checker) ends(call *ast.CallExpr) bool {
	f := callee(c.info, call)
	if f == nil || f.Pkg() == nil {
		return false
	}
	switch f.Pkg().Path() + "." + f.Name() {
	case "os.Exit", "runtime.Goexit", "log.Fatal", "log.Fatalf", "log.Fatalln", "log.Panic", "log.Panicf", "log.Panicln",
		"testing.Fatal", "testing.Fatalf", "testing.FailNow", "testing.Skip", "testing.Skipf", "testing.SkipNow":
		return true
	}
	return false
}
