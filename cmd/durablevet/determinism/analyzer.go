// Package determinism finds, before they run, orchestrators that would not do
// the same in a replay, and other mistakes in the use of package durable.
//
// Code that runs in an orchestrator's coroutine is found from its types: every
// function with a *durable.Context parameter, and every function that is given
// to package durable to be run there. What such code calls is followed through
// functions, methods and packages (as facts); activities, steps and triggers
// may do what they like.
package determinism

import (
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// Name is the analyzer's, and the prefix of its flags under go vet.
const Name = "durablevet"

// Analyzer checks a package. Its flags are those of the rules, by name, and
// trust.
var Analyzer = New()

// New makes an analyzer with flags of its own.
func New() *analysis.Analyzer {
	o := &options{}
	a := &analysis.Analyzer{
		Name: Name, Doc: overview(), URL: "https://github.com/durable-go/functions/blob/main/docs/vet.md",
		Run:       func(pass *analysis.Pass) (any, error) { return nil, run(pass, o) },
		FactTypes: []analysis.Fact{new(effectsFact), new(namedFact), new(appFact)},
	}
	o.register(&a.Flags)
	return a
}

// checker checks one package.
type checker struct {
	pass    *analysis.Pass
	info    *types.Info
	options *options
	// foreign reports that the package belongs to another module: only what its
	// functions do is of interest, and nothing is reported.
	foreign bool

	// roles are those of declared functions, literals those of literals that are
	// given to package durable, handed the names with which functions are given
	// to it. assigned are the literals that are put into variables.
	roles    map[*types.Func]role
	literals map[*ast.FuncLit]role
	handed   map[*ast.Ident]role
	assigned map[*types.Var][]*ast.FuncLit

	all       []*function
	byObject  map[types.Object]*function
	byLiteral map[*ast.FuncLit]*function
	// written are the package's variables that functions write.
	written map[*types.Var]bool

	ignores  []*ignore
	findings map[finding]bool
}

func run(pass *analysis.Pass, o *options) error {
	module, version := "", ""
	if pass.Module != nil {
		module, version = pass.Module.Path, pass.Module.Version
	}
	path := pass.Pkg.Path()
	if standardPath(path, module) && path != "command-line-arguments" && pass.Pkg.Name() != "main" || version != "" && Tabled(path, module) || o.trusts(path) {
		return nil
	}
	c := &checker{
		pass: pass, info: pass.TypesInfo, options: o, foreign: version != "",
		roles: map[*types.Func]role{}, literals: map[*ast.FuncLit]role{}, handed: map[*ast.Ident]role{},
		assigned: map[*types.Var][]*ast.FuncLit{}, byObject: map[types.Object]*function{}, byLiteral: map[*ast.FuncLit]*function{},
		written: map[*types.Var]bool{}, findings: map[finding]bool{},
	}
	c.comments()
	c.assignments()
	c.functions()
	c.writes()
	c.observe()
	c.propagate()
	c.export()
	if !c.foreign {
		c.check()
		c.unused()
	}
	return nil
}

// check runs the rules over the package.
func (c *checker) check() {
	for _, f := range c.all {
		c.reportEffects(f)
		switch {
		case f.role.inCoroutine():
			c.checkCoroutine(f)
		case f.role == apart || f.role == recorded || f.role == decision:
			c.checkApart(f)
		}
		c.checkAnywhere(f)
	}
	c.checkVariables()
	c.checkNames()
	c.checkApp()
}

// checkCoroutine runs the rules for code in a coroutine.
func (c *checker) checkCoroutine(f *function) {
	c.checkDefers(f)
	c.checkTasks(f)
	c.checkLoops(f)
	c.checkContinue(f)
	c.checkRecover(f)
	c.checkPatches(f)
	c.checkCritical(f)
}

// checkApart runs the rules for code that a coroutine has given away.
func (c *checker) checkApart(f *function) {
	if !c.implements(f.file) {
		c.checkContextUse(f)
		c.checkCaptures(f)
	}
}

// checkAnywhere runs the rules for all code.
func (c *checker) checkAnywhere(f *function) {
	c.checkPolicies(f)
	c.checkPayloads(f)
	c.checkView(f)
}

// files are the package's files, generated ones among them.
func (c *checker) files() []*ast.File { return c.pass.Files }

func (c *checker) isTest(file *ast.File) bool { return c.inTest(file.FileStart) }

// inTest reports whether a place is in the file of a test.
func (c *checker) inTest(pos token.Pos) bool {
	return strings.HasSuffix(c.pass.Fset.Position(pos).Filename, "_test.go")
}

// place is a position for texts: the file's name and the line.
func (c *checker) place(pos token.Pos) string {
	p := c.pass.Fset.Position(pos)
	return filepath.Base(p.Filename) + ":" + itoa(p.Line)
}
