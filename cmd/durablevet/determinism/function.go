package determinism

import (
	"go/ast"
	"go/token"
	"go/types"
)

// function is a piece of code with one role: a declared function, a literal
// that runs as something else than the code around it, or the initial value of
// a package's variable. Literals that run where they stand belong to the
// function around them.
type function struct {
	// node is the declaration, the literal or the initial value.
	node ast.Node
	body ast.Node
	// obj is the declared function or the variable; nil for a literal.
	obj  types.Object
	sig  *types.Signature
	role role
	// outer is the function around a literal.
	outer *function
	file  *ast.File

	// effects are what the code does itself, calls the functions of this
	// module that it refers to.
	effects []effect
	calls   []reference
	// reasons are why a call of the function differs from run to run, by rule.
	reasons map[*rule]reason
}

// reference is a place that refers to a function or variable with code of its
// own.
type reference struct {
	at  ast.Node
	obj types.Object
	// ordered reports that the order of what a call returns means nothing.
	ordered bool
	// once reports that a replay leaves it out.
	once bool
}

// functions finds the functions of a package.
func (c *checker) functions() {
	c.classify()
	for _, file := range c.files() {
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Body != nil {
					c.declared(file, d)
				}
			case *ast.GenDecl:
				c.variables(file, d)
			}
		}
	}
}

func (c *checker) declared(file *ast.File, d *ast.FuncDecl) {
	obj, ok := c.info.Defs[d.Name].(*types.Func)
	if !ok {
		return
	}
	f := &function{node: d, body: d.Body, obj: obj, sig: obj.Signature(), role: c.roles[obj], file: file}
	if f.role == plain && (takes(f.sig, isContext) || holdsContext(f.sig.Recv())) && !c.implements(file) {
		f.role = orchestrator
	}
	c.add(f)
}

// implements reports whether a file belongs to package durable itself, whose
// code is called with a Context and is none of an orchestrator.
func (c *checker) implements(file *ast.File) bool {
	return c.pass.Pkg.Path() == durablePath && !c.isTest(file)
}

// holdsContext reports whether a method's receiver is a struct with a Context
// in it: its methods are an orchestrator's code without a parameter for it.
func holdsContext(recv *types.Var) bool {
	if recv == nil {
		return false
	}
	n := namedOf(recv.Type())
	if n == nil || isDurable(n, coroutineTypes...) {
		return false
	}
	s, ok := n.Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for field := range s.Fields() {
		if isContext(field.Type()) {
			return true
		}
	}
	return false
}

// variables takes the initial values of a package's variables.
func (c *checker) variables(file *ast.File, d *ast.GenDecl) {
	if d.Tok != token.VAR {
		return
	}
	for _, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		for i, value := range v.Values {
			f := &function{node: value, body: value, role: plain, file: file}
			if i < len(v.Names) {
				f.obj = c.info.Defs[v.Names[i]]
			}
			if f.obj != nil {
				f.sig, _ = f.obj.Type().Underlying().(*types.Signature)
			}
			c.add(f)
		}
	}
}

// add takes a function, and the literals in it that have a role of their own.
func (c *checker) add(f *function) {
	c.all = append(c.all, f)
	if f.obj != nil {
		c.byObject[f.obj] = f
	}
	if lit, ok := f.body.(*ast.FuncLit); ok && f.node == f.body && f.sig != nil && c.literalRole(f, lit) == f.role {
		f.body = lit.Body // var now = func() ...
	}
	ast.Inspect(f.body, func(n ast.Node) bool {
		lit, ok := n.(*ast.FuncLit)
		if !ok {
			return true
		}
		role, holder := c.literalRole(f, lit), c.holder(f, lit)
		if role == f.role && holder == nil && !c.separate(lit) {
			return true
		}
		sig, _ := c.info.TypeOf(lit).(*types.Signature)
		inner := &function{node: lit, body: lit.Body, sig: sig, role: role, outer: f, file: f.file}
		if holder != nil {
			inner.obj = holder
		}
		c.byLiteral[lit] = inner
		c.add(inner)
		return false
	})
}

// holder is the local variable of which a literal is the only value, in code
// outside orchestrators: an orchestrator that calls it does what the literal
// does. nil when there is none.
func (c *checker) holder(f *function, lit *ast.FuncLit) *types.Var {
	if f.role != plain || c.literals[lit] != plain {
		return nil
	}
	for v, lits := range c.assigned {
		if len(lits) == 1 && lits[0] == lit && !c.isGlobal(v) {
			return v
		}
	}
	return nil
}

// separate reports whether a literal is a function of its own although its role
// is that of the code around it: it has its own Context.
func (c *checker) separate(lit *ast.FuncLit) bool {
	sig, ok := c.info.TypeOf(lit).(*types.Signature)
	return ok && (takes(sig, isContext) || c.literals[lit] != plain)
}

// literalRole is what a literal runs as.
func (c *checker) literalRole(around *function, lit *ast.FuncLit) role {
	if c.implements(around.file) {
		return plain
	}
	if r := c.literals[lit]; r != plain {
		return r
	}
	sig, ok := c.info.TypeOf(lit).(*types.Signature)
	switch {
	case !ok:
		return around.role
	case takes(sig, isContext):
		return orchestrator
	case around.role.durable() && (takes(sig, isGoContext) || takes(sig, func(t types.Type) bool { return isDurable(t, typeEntityContext) })):
		return apart // it is made for an activity
	}
	return around.role
}

// classify finds what the functions run as that are given to package durable.
func (c *checker) classify() {
	for _, file := range c.files() {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if a, ok := apis[durableCall(c.info, n)]; ok && a.fn != none && a.fn < len(n.Args) {
					c.runs(n.Args[a.fn], a.runs)
				}
			case *ast.CompositeLit:
				c.classifyFields(n)
			}
			return true
		})
	}
}

// classifyFields finds the functions in a retry policy.
func (c *checker) classifyFields(lit *ast.CompositeLit) {
	for _, element := range lit.Elts {
		kv, ok := element.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if key, ok := kv.Key.(*ast.Ident); ok && decisions[key.Name] != "" && isDurable(c.info.TypeOf(lit), decisions[key.Name]) {
			c.runs(kv.Value, decision)
		}
	}
}

// runs notes what an expression runs as: a literal, a function, or a variable
// with a literal in it.
func (c *checker) runs(e ast.Expr, r role) {
	switch e := ast.Unparen(e).(type) {
	case *ast.FuncLit:
		c.literals[e] = r
	case *ast.Ident:
		c.handed[e] = r
		c.runsObject(c.info.Uses[e], r)
	case *ast.SelectorExpr:
		c.handed[e.Sel] = r
		c.runsObject(c.info.Uses[e.Sel], r)
	case *ast.IndexExpr:
		c.runs(e.X, r)
	}
}

func (c *checker) runsObject(obj types.Object, r role) {
	switch o := obj.(type) {
	case *types.Func:
		if o = o.Origin(); o.Pkg() == c.pass.Pkg {
			c.roles[o] = max(r, c.roles[o])
		}
	case *types.Var:
		for _, lit := range c.assigned[o] {
			c.literals[lit] = r
		}
	}
}

// assignments finds the literals that are put into variables.
func (c *checker) assignments() { //nolint:gocognit // a case for each form of assignment
	for _, file := range c.files() {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for i, left := range n.Lhs {
					if len(n.Lhs) == len(n.Rhs) {
						c.assign(left, n.Rhs[i])
					}
				}
			case *ast.ValueSpec:
				for i, name := range n.Names {
					if len(n.Names) == len(n.Values) {
						c.assign(name, n.Values[i])
					}
				}
			}
			return true
		})
	}
}

func (c *checker) assign(left, right ast.Expr) {
	id, ok := left.(*ast.Ident)
	if !ok {
		return
	}
	lit, ok := ast.Unparen(right).(*ast.FuncLit)
	if !ok {
		return
	}
	if v, ok := c.info.ObjectOf(id).(*types.Var); ok {
		c.assigned[v] = append(c.assigned[v], lit)
	}
}

// inspect visits the code of a function, with the nodes around each; not that of literals
// with a role of their own.
func (c *checker) inspect(f *function, visit func(n ast.Node, around []ast.Node)) {
	var stack []ast.Node
	ast.Inspect(f.body, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		if lit, ok := n.(*ast.FuncLit); ok && c.byLiteral[lit] != nil && c.byLiteral[lit] != f {
			return false
		}
		visit(n, stack)
		stack = append(stack, n)
		return true
	})
}
