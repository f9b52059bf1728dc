package determinism

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// observeRange takes a loop over a channel, or over a map whose order matters.
func (c *checker) observeRange(f *function, loop *ast.RangeStmt, around []ast.Node) {
	t := c.info.TypeOf(loop.X)
	if t == nil {
		return
	}
	if _, ok := t.Underlying().(*types.Chan); ok {
		c.concurrency(f, loop.X, "a channel operation", "await a durable.Task, or an event")
		return
	}
	_, isMap := t.Underlying().(*types.Map)
	if !isMap && !c.unorderedCall(loop.X) {
		return
	}
	if what := c.orderMatters(f, loop); what != "" {
		f.effects = append(f.effects, effect{
			rule: ruleMapOrder, at: loop, what: "the order of a map, on which " + what + " depends,", advice: adviceOf[ruleMapOrder],
			fixes: c.sortedRange(f, loop, around),
		})
	}
}

// unorderedCall reports whether an expression is an iterator over a map.
func (c *checker) unorderedCall(e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return false
	}
	f := callee(c.info, call)
	return f != nil && f.Pkg() != nil && f.Pkg().Path() == "maps" && slices.Contains([]string{"Keys", "Values", "All"}, f.Name())
}

// orderMatters says what depends on the order of a loop; "" when nothing does.
func (c *checker) orderMatters(f *function, loop *ast.RangeStmt) (what string) {
	vars := c.loopVars(loop)
	if len(vars) == 0 {
		return ""
	}
	var stack []ast.Node
	ast.Inspect(loop.Body, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		if what == "" {
			what = c.dependsOnOrder(f, loop, vars, n, stack)
		}
		stack = append(stack, n)
		return true
	})
	return what
}

// loopVars are the variables of a loop that are used.
func (c *checker) loopVars(loop *ast.RangeStmt) (vars []types.Object) {
	for _, e := range []ast.Expr{loop.Key, loop.Value} {
		if id, ok := e.(*ast.Ident); ok && id.Name != "_" {
			if obj := c.info.ObjectOf(id); obj != nil {
				vars = append(vars, obj)
			}
		}
	}
	return vars
}

func (c *checker) dependsOnOrder(f *function, loop *ast.RangeStmt, vars []types.Object, n ast.Node, around []ast.Node) string {
	switch n := n.(type) {
	case *ast.CallExpr:
		if waits(c.info, n) || c.closureWaits(n) {
			return "a call"
		}
		if c.writesText(loop, n) {
			return "a text"
		}
	case *ast.AssignStmt:
		return c.collects(f, loop, n)
	case *ast.ReturnStmt:
		if !inLiteral(around) && c.mentions(n, vars) && !c.picks(vars, around) {
			return "a result"
		}
	}
	return ""
}

// closureWaits reports whether a call calls a local function whose code waits.
func (c *checker) closureWaits(call *ast.CallExpr) bool {
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	if !ok {
		return false
	}
	v, ok := c.info.Uses[id].(*types.Var)
	return ok && slices.ContainsFunc(c.assigned[v], func(lit *ast.FuncLit) bool {
		return contains(lit.Body, func(n ast.Node) bool {
			inner, ok := n.(*ast.CallExpr)
			return ok && waits(c.info, inner)
		})
	})
}

// contains reports whether there is a node of a kind in a tree.
func contains(tree ast.Node, is func(ast.Node) bool) (found bool) {
	ast.Inspect(tree, func(n ast.Node) bool {
		found = found || n != nil && is(n)
		return !found
	})
	return found
}

// mentions reports whether a tree uses one of the variables.
func (c *checker) mentions(tree ast.Node, vars []types.Object) bool {
	return contains(tree, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		return ok && slices.Contains(vars, c.info.Uses[id])
	})
}

// picks reports whether a condition around a node compares a loop's variable, so
// that there is one such element whatever the order.
func (c *checker) picks(vars []types.Object, around []ast.Node) bool {
	return slices.ContainsFunc(around, func(n ast.Node) bool {
		branch, ok := n.(*ast.IfStmt)
		return ok && contains(branch.Cond, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BinaryExpr:
				return n.Op == token.EQL && c.mentions(n, vars)
			case *ast.CallExpr:
				f := callee(c.info, n)
				return f != nil && f.Name() == "EqualFold" && c.mentions(n, vars)
			}
			return false
		})
	})
}

// collects says what an assignment in a loop makes that has the loop's order.
func (c *checker) collects(f *function, loop *ast.RangeStmt, n *ast.AssignStmt) string {
	for i, left := range n.Lhs {
		v := c.root(left)
		if v == nil || loop.Pos() <= v.Pos() && v.Pos() < loop.End() {
			continue
		}
		if n.Tok == token.ADD_ASSIGN && isText(c.info.TypeOf(left)) {
			return "the text " + v.Name()
		}
		if i >= len(n.Rhs) || c.isMapElement(left) || c.sortedLater(f, v, loop.End()) {
			continue
		}
		if call, ok := ast.Unparen(n.Rhs[i]).(*ast.CallExpr); ok && c.isBuiltin(call, "append") {
			return "the slice " + v.Name()
		}
	}
	return ""
}

func (c *checker) isMapElement(e ast.Expr) bool {
	index, ok := e.(*ast.IndexExpr)
	if !ok {
		return false
	}
	t := c.info.TypeOf(index.X)
	if t == nil {
		return false
	}
	_, ok = t.Underlying().(*types.Map)
	return ok
}

func isText(t types.Type) bool {
	if t == nil {
		return false
	}
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}

func (c *checker) isBuiltin(call *ast.CallExpr, name string) bool {
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	if !ok || id.Name != name {
		return false
	}
	_, ok = c.info.Uses[id].(*types.Builtin)
	return ok
}

// writesText reports whether a call writes to a text that is made outside the
// loop.
func (c *checker) writesText(loop *ast.RangeStmt, call *ast.CallExpr) bool {
	f := callee(c.info, call)
	if f == nil || f.Pkg() == nil {
		return false
	}
	var to ast.Expr
	if selector, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && f.Signature().Recv() != nil && strings.HasPrefix(f.Name(), "Write") {
		to = selector.X
	} else if f.Pkg().Path() == "fmt" && strings.HasPrefix(f.Name(), "Fprint") && len(call.Args) > 0 {
		to = call.Args[0]
		if address, ok := to.(*ast.UnaryExpr); ok {
			to = address.X
		}
	}
	if to == nil {
		return false
	}
	v := c.root(to)
	if v == nil || loop.Pos() <= v.Pos() && v.Pos() < loop.End() {
		return false
	}
	n := namedOf(v.Type())
	return n != nil && n.Obj().Pkg() != nil && slices.Contains([]string{"strings.Builder", "bytes.Buffer"}, n.Obj().Pkg().Path()+"."+n.Obj().Name())
}

// sortedLater reports whether a slice is sorted after a place in a function.
func (c *checker) sortedLater(f *function, v *types.Var, after token.Pos) bool {
	return contains(f.body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || call.Pos() < after || len(call.Args) == 0 {
			return false
		}
		if f := callee(c.info, call); f == nil || !isSorter(f) {
			return false
		}
		arg := ast.Unparen(call.Args[0])
		if conversion, ok := arg.(*ast.CallExpr); ok && len(conversion.Args) == 1 { // sort.Sort(byName(list))
			arg = conversion.Args[0]
		}
		return c.root(arg) == v
	})
}

// isSorter reports whether a function sorts its first argument in place.
func isSorter(f *types.Func) bool {
	if f.Pkg() == nil {
		return false
	}
	path := f.Pkg().Path()
	return path == "sort" || path == "slices" && strings.HasPrefix(f.Name(), "Sort")
}

// observeUnordered takes the keys or values of a map that are made a slice.
func (c *checker) observeUnordered(f *function, call *ast.CallExpr, around []ast.Node) {
	if c.unorderedCall(call) && !c.ordered(f, call, around) {
		f.effects = append(f.effects, effect{rule: ruleMapOrder, at: call, what: "the order of a map", advice: "use slices.Sorted(" + types.ExprString(call) + ")"})
	}
}

// ordered reports whether what a call returns is brought into an order, or is
// used so that its order means nothing.
func (c *checker) ordered(f *function, call ast.Node, around []ast.Node) bool {
	for i := len(around) - 1; i >= 0; i-- {
		switch n := around[i].(type) {
		case *ast.ParenExpr, *ast.SelectorExpr, *ast.IndexExpr: // and on to what is around
		case *ast.RangeStmt:
			return call != n.X || c.unorderedCall(n.X) || c.orderMatters(f, n) == ""
		case *ast.CallExpr:
			if n == call || n.Fun.Pos() <= call.Pos() && call.End() <= n.Fun.End() {
				continue
			}
			if sorts, known := c.sorts(n); known {
				return sorts
			}
			call = n
		case *ast.AssignStmt:
			return len(n.Lhs) > 0 && c.keptInOrder(f, n)
		default:
			return false
		}
	}
	return false
}

// sorts reports whether a call makes of what is not ordered something that is;
// known is false for one that keeps the order.
func (c *checker) sorts(call *ast.CallExpr) (sorts, known bool) {
	if c.isBuiltin(call, "len") {
		return true, true
	}
	f := callee(c.info, call)
	switch {
	case f == nil || f.Pkg() == nil:
		return false, true
	case f.Pkg().Path() == "slices" && f.Name() == "Collect":
		return false, false
	case f.Pkg().Path() == "slices":
		return slices.Contains([]string{"Sorted", "SortedFunc", "SortedStableFunc", "Sort", "SortFunc", "SortStableFunc", "Contains", "ContainsFunc", "Max", "Min"}, f.Name()), true
	case f.Pkg().Path() == "maps":
		return f.Name() == "Collect" || f.Name() == "Insert", true
	}
	return false, true
}

// keptInOrder reports whether a slice that was put into a variable is sorted, or
// an iterator only made.
func (c *checker) keptInOrder(f *function, n *ast.AssignStmt) bool {
	v := c.root(n.Lhs[0])
	if v == nil {
		return false
	}
	if _, ok := v.Type().Underlying().(*types.Signature); ok {
		return true // an iterator: a loop over it is looked at there
	}
	return c.sortedLater(f, v, n.End())
}
