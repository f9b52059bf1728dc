package determinism

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// effect is something that the code of a function does itself.
type effect struct {
	rule *rule
	at   ast.Node
	// what is the thing, such as time.Now; advice is what to do instead.
	what, advice string
	blocks       bool
	// weak effects are not followed through calls.
	weak  bool
	fixes []analysis.SuggestedFix
}

// observe finds the effects of all functions, and what they call.
func (c *checker) observe() {
	for _, f := range c.all {
		if _, literal := f.node.(*ast.FuncLit); literal && f.role == apart {
			continue
		}
		c.inspect(f, func(n ast.Node, around []ast.Node) {
			if f.isValue() && inLiteral(around) {
				return // it runs when the value is used, if at all
			}
			effects, calls := len(f.effects), len(f.calls)
			c.observeNode(f, n, around)
			if (len(f.effects) > effects || len(f.calls) > calls) && c.firstRun(around) {
				f.effects = append(f.effects[:effects], slices.DeleteFunc(f.effects[effects:], func(e effect) bool { return harmlessOnce(e.rule, e.blocks) })...)
				for i := range f.calls[calls:] {
					f.calls[calls+i].once = true
				}
			}
		})
	}
}

func (c *checker) observeNode(f *function, n ast.Node, around []ast.Node) {
	switch n := n.(type) {
	case *ast.Ident:
		c.observeName(f, n, around)
	case *ast.GoStmt:
		c.concurrency(f, n, "a go statement", "durable.Go, or a durable.WaitGroup, runs code beside the orchestrator")
	case *ast.SelectStmt:
		c.concurrency(f, n, "a select statement", "durable.Select waits for the first of several tasks")
	case *ast.SendStmt:
		c.observeChannel(f, n, n.Chan, around)
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			c.observeChannel(f, n, n.X, around)
		}
	case *ast.RangeStmt:
		c.observeRange(f, n, around)
	case *ast.CallExpr:
		c.observeCall(f, n, around)
	}
}

// firstRun reports whether code stands in an if !ctx.IsReplaying().
func (c *checker) firstRun(around []ast.Node) bool {
	for i, n := range around[:max(len(around)-1, 0)] {
		branch, ok := n.(*ast.IfStmt)
		if !ok || around[i+1] != ast.Node(branch.Body) {
			continue
		}
		if not, ok := ast.Unparen(branch.Cond).(*ast.UnaryExpr); ok && not.Op == token.NOT {
			if call, ok := ast.Unparen(not.X).(*ast.CallExpr); ok && durableCall(c.info, call) == fnIsReplaying {
				return true
			}
		}
	}
	return false
}

// harmlessOnce reports whether an effect does no harm where a replay leaves it
// out: logs, counters and the locks around them.
func harmlessOnce(r *rule, blocks bool) bool {
	return r == ruleLog || r == ruleGlobal || r == ruleConcurrency && !blocks
}

// isValue reports whether a function is the initial value of a variable that is
// not a function itself.
func (f *function) isValue() bool {
	_, isVar := f.obj.(*types.Var)
	return isVar && f.sig == nil
}

func inLiteral(around []ast.Node) bool {
	return slices.ContainsFunc(around, func(n ast.Node) bool { _, ok := n.(*ast.FuncLit); return ok })
}

func (c *checker) concurrency(f *function, at ast.Node, what, advice string) {
	f.effects = append(f.effects, effect{rule: ruleConcurrency, at: at, what: what, advice: advice, blocks: true})
}

// observeChannel takes an operation on a channel; those of a select statement
// belong to that.
func (c *checker) observeChannel(f *function, at ast.Node, channel ast.Expr, around []ast.Node) {
	for i := len(around) - 1; i >= 0; i-- {
		if _, ok := around[i].(*ast.CommClause); ok {
			return
		}
		if _, ok := around[i].(*ast.BlockStmt); ok {
			break
		}
	}
	if call, ok := ast.Unparen(channel).(*ast.CallExpr); ok {
		if f := callee(c.info, call); f != nil && impurity(f) != nil {
			return // <-time.After(d) is said once
		}
	}
	c.concurrency(f, at, "a channel operation", "await a durable.Task, or an event")
}

// observeCall takes what has no name to go by: builtins, and texts with
// addresses.
func (c *checker) observeCall(f *function, call *ast.CallExpr, around []ast.Node) {
	if id, ok := ast.Unparen(call.Fun).(*ast.Ident); ok {
		if b, ok := c.info.Uses[id].(*types.Builtin); ok {
			switch b.Name() {
			case "print", "println":
				f.effects = append(f.effects, effect{rule: ruleLog, at: call, what: b.Name(), advice: adviceOf[ruleLog]})
			case "close":
				c.concurrency(f, call, "a channel operation", "await a durable.Task, or an event")
			}
			return
		}
	}
	c.observeUnordered(f, call, around)
	c.observeLogger(f, call)
	c.observePointer(f, call)
}

// observeLogger finds loggers that are not the Context's: those in variables
// outside the function.
func (c *checker) observeLogger(f *function, call *ast.CallExpr) {
	m := callee(c.info, call)
	if m == nil || m.Pkg() == nil || m.Signature().Recv() == nil || m.Pkg().Path() != "log/slog" && m.Pkg().Path() != "log" {
		return
	}
	n := namedOf(m.Signature().Recv().Type())
	selector, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || n == nil || n.Obj().Name() != "Logger" || strings.HasPrefix(m.Name(), "With") || m.Name() == "Enabled" || m.Name() == "Handler" {
		return
	}
	if v := c.root(selector.X); v != nil && c.outside(f, v) {
		f.effects = append(f.effects, effect{rule: ruleLog, at: call, what: "a logger of its own", advice: adviceOf[ruleLog]})
	}
}

func (c *checker) observePointer(f *function, call *ast.CallExpr) {
	m := callee(c.info, call)
	switch {
	case m != nil && m.Pkg() != nil && m.Pkg().Path() == "fmt":
		for _, arg := range call.Args {
			if text, ok := c.constant(arg); ok && hasVerb(text, 'p') {
				f.effects = append(f.effects, effect{rule: rulePointer, at: arg, what: "%p", advice: adviceOf[rulePointer]})
			}
		}
	case len(call.Args) == 1 && isBasic(c.info.TypeOf(call.Fun), types.Uintptr) && isBasic(c.info.TypeOf(call.Args[0]), types.UnsafePointer):
		f.effects = append(f.effects, effect{rule: rulePointer, at: call, what: "the address of a value", advice: adviceOf[rulePointer]})
	}
}

func isBasic(t types.Type, kind types.BasicKind) bool {
	if t == nil {
		return false
	}
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Kind() == kind
}

// hasVerb reports whether a format has a verb, with flags or without.
func hasVerb(format string, verb rune) bool {
	in := false
	for _, r := range format {
		switch {
		case r == '%':
			in = !in
		case in && r == verb:
			return true
		case in && !strings.ContainsRune("+-# 0123456789.[]*", r):
			in = false
		}
	}
	return false
}

// observeName takes a name: of something impure, of a function with code of its
// own, or of a variable of a package.
func (c *checker) observeName(f *function, id *ast.Ident, around []ast.Node) {
	switch obj := c.info.Uses[id].(type) {
	case *types.Func:
		c.observeFunc(f, id, obj.Origin(), around)
	case *types.Var:
		c.observeVar(f, id, obj, around)
	}
}

func (c *checker) observeFunc(f *function, id *ast.Ident, obj *types.Func, around []ast.Node) {
	if c.handed[id] != plain || obj.Pkg() == nil {
		return
	}
	if obj.Pkg() != c.pass.Pkg {
		if does := impurity(obj); does != nil {
			c.observeImpure(f, id, obj, does, around)
			return
		}
	}
	call := callOf(id, around)
	if call == nil && takes(obj.Signature(), isGoContext) || takes(obj.Signature(), isContext) {
		return // it is for an activity; or it is an orchestrator's code, and checked where it stands
	}
	at := outermost(id, call)
	f.calls = append(f.calls, reference{at: at, obj: obj, ordered: c.ordered(f, at, around)})
}

func (c *checker) observeImpure(f *function, id *ast.Ident, obj types.Object, does *impure, around []ast.Node) {
	call := callOf(id, around)
	if obj.Pkg().Path() == "sync/atomic" && isStatement(call, around) {
		return // it is only counted, and the code cannot depend on the number
	}
	f.effects = append(f.effects, effect{
		rule: does.rule, at: outermost(id, call), what: nameOf(obj), advice: advice(does.rule, obj), blocks: does.blocks,
		weak: isWeak(obj), fixes: c.replace(f, call, obj, around),
	})
}

func (c *checker) observeVar(f *function, id *ast.Ident, v *types.Var, around []ast.Node) {
	switch {
	case v.Pkg() == nil || v.IsField():
	case v.Pkg() != c.pass.Pkg:
		if does := impurity(v); does != nil && does.rule != ruleIgnore {
			c.observeImpure(f, id, v, does, around)
		} else {
			f.calls = append(f.calls, reference{at: outermost(id, callOf(id, around)), obj: v})
		}
	case c.isGlobal(v):
		c.observeGlobal(f, id, v, around)
		if c.handed[id] == plain && !c.isTarget(id, around) {
			f.calls = append(f.calls, reference{at: outermost(id, callOf(id, around)), obj: v})
		}
	default:
		if f.role.durable() && c.captured(f, v) && c.outside(f, v) {
			c.observeOuter(f, id, v, around)
		}
		if c.byObject[v] != nil && c.handed[id] == plain {
			f.calls = append(f.calls, reference{at: outermost(id, callOf(id, around)), obj: v})
		}
	}
}

// callOf is the call of which a name is the function; nil when it is not called.
func callOf(id *ast.Ident, around []ast.Node) *ast.CallExpr {
	var fun ast.Node = id
	for i := len(around) - 1; i >= 0; i-- {
		switch n := around[i].(type) {
		case *ast.SelectorExpr:
			if n.Sel != fun {
				return nil
			}
			fun = n
		case *ast.IndexExpr:
			if n.X != fun {
				return nil
			}
			fun = n
		case *ast.IndexListExpr, *ast.ParenExpr:
			fun = n
		case *ast.CallExpr:
			if n.Fun == fun {
				return n
			}
			return nil
		default:
			return nil
		}
	}
	return nil
}

// isStatement reports whether a call is a statement of its own.
func isStatement(call *ast.CallExpr, around []ast.Node) bool {
	s, ok := statement(around).(*ast.ExprStmt)
	return ok && call != nil && s.X == call
}

func outermost(id *ast.Ident, call *ast.CallExpr) ast.Node {
	if call != nil {
		return call
	}
	return id
}

// nameOf is how people call an object: package.Name or package.Type.Name.
func nameOf(obj types.Object) string {
	if obj.Pkg() == nil {
		return obj.Name()
	}
	return obj.Pkg().Name() + "." + memberName(obj)
}

// adviceOf says what to do instead.
var adviceOf = map[*rule]string{
	ruleClock:       "use ctx.Now, ctx.Sleep or ctx.NewTimer",
	ruleRandom:      "use ctx.NewGUID or ctx.Rand, or a durable.SideEffect",
	ruleConcurrency: "use durable.Go, or a durable.WaitGroup, and tasks",
	ruleMapOrder:    "range over slices.Sorted(maps.Keys(m))",
	ruleIO:          "use an activity or a durable.Step",
	ruleEnv:         "pass the value in the input, or record it with durable.SideEffect",
	ruleLog:         "use ctx.Logger, which is silent in a replay",
	ruleGlobal:      "pass the value in the input, or keep it in the orchestrator",
	rulePointer:     "use a value that is the same in each process",
}

// advice is adviceOf, more to the point where that is possible.
func advice(r *rule, obj types.Object) string {
	switch nameOf(obj) {
	case "time.Now", "time.Since", "time.Until":
		return "use ctx.Now"
	case "time.Sleep":
		return "use ctx.Sleep"
	case "context.WithTimeout", "context.WithDeadline", "context.WithTimeoutCause", "context.WithDeadlineCause":
		return "use durable.WithTimeout, or a timer and durable.Select"
	}
	return adviceOf[r]
}
