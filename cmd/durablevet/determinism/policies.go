package determinism

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"slices"
	"time"

	"golang.org/x/tools/go/analysis"
)

// boundless is the number of attempts from which a policy has no limit.
const boundless = 1 << 30

// checkPolicies reports retry policies and durations that make no sense.
func (c *checker) checkPolicies(f *function) {
	if c.isTest(f.file) && c.pass.Pkg.Path() == durablePath {
		return // the tests of the checks at run time
	}
	c.inspect(f, func(n ast.Node, around []ast.Node) {
		switch n := n.(type) {
		case *ast.CompositeLit:
			if isDurable(c.info.TypeOf(n), typeRetryPolicy) {
				c.checkPolicy(n, around)
			}
		case *ast.CallExpr:
			name := durableCall(c.info, n)
			if i, ok := durations[name]; ok && i < len(n.Args) {
				c.checkDuration(n.Args[i], name)
			}
		}
	})
}

// number is a constant number.
func (c *checker) number(e ast.Expr) (n float64, ok bool) {
	if e == nil {
		return 0, false
	}
	v := c.info.Types[e].Value
	if v == nil {
		return 0, false
	}
	v = constant.ToFloat(v)
	if v.Kind() != constant.Float {
		return 0, false
	}
	n, _ = constant.Float64Val(v)
	return n, true
}

func (c *checker) checkPolicy(lit *ast.CompositeLit, around []ast.Node) {
	p, fields := policyFields, map[string]ast.Expr{}
	for _, element := range lit.Elts {
		kv, ok := element.(*ast.KeyValueExpr)
		if !ok {
			return // without names: all fields are there
		}
		if key, ok := kv.Key.(*ast.Ident); ok {
			fields[key.Name] = kv.Value
		}
	}
	for _, name := range []string{p.first, p.longest, p.timeout} {
		if fields[name] != nil {
			c.checkDuration(fields[name], "RetryPolicy."+name)
		}
	}
	for _, name := range []string{p.attempts, p.first} {
		if fields[name] == nil && final(around) {
			c.report(ruleRetry, lit, "the retry policy has no "+name+": each call with it fails")
		}
	}
	c.checkBounds(fields)
}

// final reports whether a literal is used as it is: nothing is put into its
// fields later.
func final(around []ast.Node) bool {
	for i := len(around) - 1; i >= 0; i-- {
		switch around[i].(type) {
		case *ast.CallExpr, *ast.KeyValueExpr:
			return true
		case *ast.UnaryExpr, *ast.ParenExpr:
		default:
			return false
		}
	}
	return false
}

// checkBounds reports fields of a policy that are out of range.
func (c *checker) checkBounds(fields map[string]ast.Expr) {
	p := policyFields
	is := func(name string, wrong func(n float64) bool, text string) {
		if n, ok := c.number(fields[name]); ok && wrong(n) {
			c.report(ruleRetry, fields[name], text)
		}
	}
	is(p.attempts, func(n float64) bool { return n < 1 }, p.attempts+" counts the first call, too: it is at least 1")
	is(p.attempts, func(n float64) bool { return n >= boundless && fields[p.timeout] == nil }, "a policy without a limit: set "+p.timeout+", or fewer "+p.attempts)
	is(p.first, func(n float64) bool { return n <= 0 }, p.first+" is above 0")
	is(p.backoff, func(n float64) bool { return n != 0 && n < 1 }, p.backoff+" is at least 1")
	is(p.jitter, func(n float64) bool { return n < 0 || n > 1 }, p.jitter+" is between 0 and 1")
	if first, ok := c.number(fields[p.first]); ok {
		for _, name := range []string{p.longest, p.timeout} {
			is(name, func(n float64) bool { return n != 0 && n < first }, name+" is at least "+p.first)
		}
	}
}

// shortest is the time below which a duration is taken for a number without a
// unit.
const shortest = float64(time.Microsecond)

// checkDuration reports constant durations that are negative, or have no unit.
func (c *checker) checkDuration(e ast.Expr, of string) {
	n, ok := c.number(e)
	if !ok {
		return
	}
	_, plainNumber := ast.Unparen(e).(*ast.BasicLit)
	switch {
	case n < 0:
		c.report(ruleRetry, e, "a negative duration")
	case n == 0 && slices.Contains([]string{"WithTimeout", "WithHeartbeatTimeout"}, of):
		c.report(ruleRetry, e, of+" of 0: each call with it fails")
	case plainNumber && n > 0 && n < shortest:
		c.report(ruleRetry, e, fmt.Sprintf("%v nanoseconds: the unit is missing", n), c.seconds(e)...)
	}
}

// seconds fixes a number without a unit.
func (c *checker) seconds(e ast.Expr) []analysis.SuggestedFix {
	if scope := c.pass.Pkg.Scope().Innermost(e.Pos()); scope != nil {
		_, obj := scope.LookupParent("time", e.Pos())
		if name, ok := obj.(*types.PkgName); ok && name.Imported().Path() == "time" {
			return fix("Make it seconds", analysis.TextEdit{Pos: e.End(), End: e.End(), NewText: []byte("*time.Second")})
		}
	}
	return nil
}
