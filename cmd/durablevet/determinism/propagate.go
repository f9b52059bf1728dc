package determinism

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// reason is why a call of a function, or the value of a variable, is not the
// same in each run.
type reason struct {
	// What it reaches, and At which place.
	What, At string
	// Via are the functions between, the outermost first.
	Via []string
	// Blocks reports that it waits.
	Blocks bool
}

// effectsFact has the reasons of a function or variable, by the id of the rule.
type effectsFact struct{ Reasons map[string]reason }

func (*effectsFact) AFact() {}

func (f *effectsFact) String() string {
	var parts []string
	for _, r := range rules {
		if why, ok := f.Reasons[r.id]; ok {
			parts = append(parts, r.id+" "+why.What)
		}
	}
	return strings.Join(parts, ", ")
}

// strong are the rules that are followed out of modules of others, and through
// the values of variables: what they report changes a result. Locks, logs and
// shared variables of a library usually do not.
var strong = map[*rule]bool{ruleClock: true, ruleRandom: true, ruleIO: true, ruleEnv: true}

// propagate gives each function the reasons of what it calls.
func (c *checker) propagate() {
	for _, f := range c.all {
		f.reasons = map[*rule]reason{}
		if !c.carries(f) {
			continue
		}
		for _, e := range f.effects {
			if _, known := f.reasons[e.rule]; known || e.weak && !isLocal(f.obj) || !c.followed(f, e.rule) || c.suppressed(e.rule, e.at.Pos()) {
				continue
			}
			f.reasons[e.rule] = reason{What: e.what, At: c.place(e.at.Pos()), Blocks: e.blocks}
		}
	}
	for changed := true; changed; {
		changed = false
		for _, f := range c.all {
			if c.carries(f) && c.inherit(f) {
				changed = true
			}
		}
	}
}

// carries reports whether the reasons of a function are those of its callers,
// too: it runs where it is called, and nothing is reported in it.
func (c *checker) carries(f *function) bool {
	if f.obj == nil || f.role.durable() || f.role == recorded || c.implements(f.file) {
		return false
	}
	fn, ok := f.obj.(*types.Func)
	return !ok || !takes(fn.Signature(), isContext)
}

// followed reports whether a rule is followed out of a function.
func (c *checker) followed(f *function, r *rule) bool {
	if c.foreign || f.isValue() {
		return strong[r]
	}
	return true
}

// inherit takes the reasons of what a function calls, and reports whether there
// were new ones.
func (c *checker) inherit(f *function) (changed bool) {
	for _, call := range f.calls {
		for r, why := range c.reasonsOf(call.obj) {
			if _, known := f.reasons[r]; known || !c.followed(f, r) || r == ruleMapOrder && call.ordered || c.suppressed(r, call.at.Pos()) {
				continue
			}
			f.reasons[r] = reason{What: why.What, At: why.At, Via: append([]string{call.obj.Name()}, why.Via...), Blocks: why.Blocks}
			changed = true
		}
	}
	return changed
}

// reasonsOf are the reasons of a function or variable, of this package or
// another.
func (c *checker) reasonsOf(obj types.Object) map[*rule]reason {
	if obj.Pkg() == c.pass.Pkg {
		if f := c.byObject[obj]; f != nil {
			return f.reasons
		}
		return nil
	}
	var fact effectsFact
	if !c.pass.ImportObjectFact(obj, &fact) {
		return nil
	}
	reasons := map[*rule]reason{}
	for id, why := range fact.Reasons {
		if r := ruleOf(id); r != nil {
			reasons[r] = why
		}
	}
	return reasons
}

// export makes facts of the reasons, for packages that import this one.
func (c *checker) export() {
	for _, f := range c.all {
		if len(f.reasons) == 0 || isLocal(f.obj) {
			continue
		}
		fact := &effectsFact{Reasons: map[string]reason{}}
		for r, why := range f.reasons {
			fact.Reasons[r.id] = why
		}
		c.pass.ExportObjectFact(f.obj, fact)
	}
	c.exportNames()
}

// isLocal reports whether an object is a variable of a function.
func isLocal(obj types.Object) bool {
	_, isVar := obj.(*types.Var)
	return isVar && obj.Parent() != obj.Pkg().Scope()
}

// reportEffects reports what code of a coroutine does, and what it calls does.
func (c *checker) reportEffects(f *function) {
	if !f.role.durable() && f.role != recorded {
		return
	}
	where := "an orchestrator"
	if f.role == recorded {
		where = "a recorded closure, which must not wait"
	}
	for _, e := range f.effects {
		if f.role == recorded && !e.blocks {
			continue
		}
		text := e.what + " in " + where
		if e.rule == ruleGlobal {
			text = e.what
		}
		c.report(e.rule, e.at, text+": "+e.advice, e.fixes...)
	}
	for _, call := range f.calls {
		reasons := c.reasonsOf(call.obj)
		for _, r := range rules {
			if why, ok := reasons[r]; ok && (f.role != recorded || why.Blocks) && (!call.once || !harmlessOnce(r, why.Blocks)) {
				c.reportCall(call, r, why, where)
			}
		}
	}
}

func (c *checker) reportCall(call reference, r *rule, why reason, where string) {
	if r == ruleMapOrder && call.ordered {
		return
	}
	verb := "calls"
	if _, ok := call.obj.(*types.Var); ok {
		verb = "comes from"
	}
	path := call.obj.Name()
	if len(why.Via) > 0 {
		path += " (through " + strings.Join(why.Via, ", ") + ")"
	}
	c.report(r, call.at, fmt.Sprintf("%s %s %s at %s, in %s: %s", path, verb, why.What, why.At, where, adviceOf[r]))
}

// finding tells findings apart.
type finding struct {
	rule *rule
	at   int
}

// report reports a finding, unless it is switched off or ignored.
func (c *checker) report(r *rule, at analysis.Range, message string, fixes ...analysis.SuggestedFix) {
	key := finding{r, int(at.Pos())}
	if c.foreign || !c.options.on(r) || c.findings[key] || c.suppressed(r, at.Pos()) {
		return
	}
	c.findings[key] = true
	c.pass.Report(analysis.Diagnostic{
		Pos: at.Pos(), End: at.End(), Category: r.id, URL: r.page(),
		Message: r.id + " " + r.name + ": " + message, SuggestedFixes: fixes,
	})
}

// span is a range of the source.
type span struct{ from, to tokenPos }

func (s span) Pos() tokenPos { return s.from }
func (s span) End() tokenPos { return s.to }

// statement is the innermost statement around a node.
func statement(around []ast.Node) ast.Stmt {
	for i := len(around) - 1; i >= 0; i-- {
		if s, ok := around[i].(ast.Stmt); ok {
			return s
		}
	}
	return nil
}
