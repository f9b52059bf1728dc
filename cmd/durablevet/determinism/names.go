package determinism

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// definition is a named orchestrator or activity.
type definition struct {
	Kind, Name string
	// Declared reports that its implementation is given elsewhere.
	Declared bool
	// In and Out are the kinds of its payloads, as JSON.
	In, Out string
}

func (d definition) key() string { return d.Kind + " " + strings.ToLower(d.Name) }

// byName is a call by a name.
type byName struct {
	Kind, Name, At string
}

// namedFact has the definition that a package's variable is.
type namedFact struct{ Definition definition }

func (*namedFact) AFact()           {}
func (f *namedFact) String() string { return f.Definition.Kind + " " + f.Definition.Name }

// appFact has the definitions and the calls by name of a package.
type appFact struct {
	Definitions []definition
	Calls       []byName
}

func (*appFact) AFact()           {}
func (f *appFact) String() string { return fmt.Sprintf("%d definitions", len(f.Definitions)) }

// functionName is the host's rule for the names of functions.
var functionName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_\-]{0,127}$`)

// maxEventName is the longest name of an event, in bytes.
const maxEventName = 256

// constant is the value of a constant text.
func (c *checker) constant(e ast.Expr) (text string, ok bool) {
	v := c.info.Types[e].Value
	if v == nil || v.Kind() != constant.String {
		return "", false
	}
	return constant.StringVal(v), true
}

// checkNames reports names that are invalid, or of two functions in one list of
// registrations. (Versions of a function may well have one name, and be
// registered in turn.)
func (c *checker) checkNames() { //nolint:gocognit // a case for each kind of name
	for _, f := range c.all {
		if c.implements(f.file) {
			continue
		}
		first := map[string]string{} // by the name: those that a list of registrations has
		c.inspect(f, func(n ast.Node, around []ast.Node) {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return
			}
			a, ok := apis[durableCall(c.info, call)]
			if !ok || a.name == none || a.name >= len(call.Args) {
				return
			}
			name, ok := c.constant(call.Args[a.name])
			if !ok {
				return
			}
			if wrong := wrongName(a.named, name); wrong != "" {
				c.report(ruleNames, call.Args[a.name], wrong)
				return
			}
			_, isVar := f.obj.(*types.Var)
			if !a.defines || a.declares || !isVar || inLiteral(around) || c.isTest(f.file) {
				return
			}
			key := a.named + " " + strings.ToLower(name)
			if at := first[key]; at != "" {
				c.report(ruleNames, call.Args[a.name], fmt.Sprintf("there is another %s %q at %s: names are compared without case", a.named, name, at))
			}
			first[key] = c.place(call.Pos())
		})
	}
}

// wrongName says what is wrong with a name; "" when nothing is.
func wrongName(kind, name string) string {
	switch kind {
	case nameOrchestrator, nameActivity, nameStep:
		if !functionName.MatchString(name) {
			return fmt.Sprintf("%q is not a name for %s: a letter, then letters, digits, _ and -, 128 at most", name, article(kind))
		}
	case nameEvent:
		if name == "" || len(name) > maxEventName {
			return fmt.Sprintf("the name of an event has 1 to %d bytes, not %d", maxEventName, len(name))
		}
	default:
		if name == "" {
			return "the name is empty"
		}
	}
	return ""
}

// article puts the word before a noun.
func article(noun string) string {
	if strings.ContainsAny(noun[:1], "aeiou") {
		return "an " + noun
	}
	return "a " + noun
}

// defined finds the definitions of the package, with the variables that they
// are, if any.
func (c *checker) defined(visit func(d definition, v *types.Var)) {
	for _, f := range c.all {
		c.inspect(f, func(n ast.Node, around []ast.Node) {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return
			}
			a, ok := apis[durableCall(c.info, call)]
			if !ok || !a.defines || a.name >= len(call.Args) {
				return
			}
			name, ok := c.constant(call.Args[a.name])
			if !ok {
				return
			}
			d := definition{Kind: a.named, Name: name, Declared: a.declares}
			if args := typeArguments(c.info.TypeOf(call)); len(args) == 2 {
				d.In, d.Out = jsonKind(args[0]), jsonKind(args[1])
			}
			v, _ := f.obj.(*types.Var)
			if len(around) > 0 {
				v = nil // the variable is made of it, and is something else
			}
			visit(d, v)
		})
	}
}

func typeArguments(t types.Type) []types.Type {
	n := namedOf(t)
	if n == nil {
		return nil
	}
	return slices.Collect(n.TypeArgs().Types())
}

func (c *checker) exportNames() {
	fact := &appFact{}
	c.defined(func(d definition, v *types.Var) {
		fact.Definitions = append(fact.Definitions, d)
		if v != nil {
			c.pass.ExportObjectFact(v, &namedFact{d})
		}
	})
	c.namedCalls(func(call byName, _ *ast.CallExpr) { fact.Calls = append(fact.Calls, call) })
	if len(fact.Definitions)+len(fact.Calls) > 0 {
		c.pass.ExportPackageFact(fact)
	}
}

// namedCalls finds the calls by a constant name.
func (c *checker) namedCalls(visit func(call byName, at *ast.CallExpr)) {
	for _, f := range c.all {
		if c.isTest(f.file) {
			continue
		}
		c.inspect(f, func(n ast.Node, _ []ast.Node) {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return
			}
			fn := durableCall(c.info, call)
			if a := apis[fn]; (fn == fnActivityByName || fn == fnOrchestratorByName) && a.name < len(call.Args) {
				if name, ok := c.constant(call.Args[a.name]); ok {
					visit(byName{a.named, name, c.place(call.Pos())}, call)
				}
			}
		})
	}
}

// known are the definitions of the package and of all that it imports.
func (c *checker) known() map[string]definition {
	known := map[string]definition{}
	for _, fact := range c.pass.AllPackageFacts() {
		if app, ok := fact.Fact.(*appFact); ok {
			for _, d := range app.Definitions {
				known[d.key()] = d
			}
		}
	}
	return known
}

// checkNamedCalls reports calls by names that look misspelt, for an app whose
// functions are all known here; at is where those of other packages are
// reported.
func (c *checker) checkNamedCalls(at analysis.Range) {
	known := c.known()
	c.namedCalls(func(call byName, here *ast.CallExpr) {
		c.checkNamedCall(known, call, here, "")
	})
	for _, fact := range c.pass.AllPackageFacts() {
		if app, ok := fact.Fact.(*appFact); ok && fact.Package != c.pass.Pkg {
			for _, call := range app.Calls {
				c.checkNamedCall(known, call, at, " (at "+call.At+" of package "+fact.Package.Name()+")")
			}
		}
	}
}

func (c *checker) checkNamedCall(known map[string]definition, call byName, at analysis.Range, where string) {
	if _, ok := known[definition{Kind: call.Kind, Name: call.Name}.key()]; ok {
		return
	}
	for _, d := range known {
		if d.Kind == call.Kind && near(strings.ToLower(d.Name), strings.ToLower(call.Name)) {
			c.report(ruleNames, at, fmt.Sprintf("there is no %s %q%s; there is %q", call.Kind, call.Name, where, d.Name))
			return
		}
	}
	if c.options.unknown {
		c.report(ruleNames, at, fmt.Sprintf("there is no %s %q%s in the packages of this app", call.Kind, call.Name, where))
	}
}

// near reports whether two names look like the same one misspelt: at most two
// letters differ, and no digits.
func near(a, b string) bool {
	digits := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, s)
	}
	return min(len(a), len(b)) >= 5 && digits(a) == digits(b) && distance(a, b) <= 2
}

// distance is the number of letters to insert, remove or change.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
