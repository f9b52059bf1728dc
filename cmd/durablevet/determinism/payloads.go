package determinism

import (
	"fmt"
	"go/ast"
	"go/types"
	"reflect"
	"slices"
)

// payloadFunctions are the functions of package durable whose type arguments
// are payloads.
var payloadFunctions = []string{
	"NewOrchestrator", "DeclareOrchestrator", "NewActivity", "NewAction", "DeclareActivity", "DeclareAction",
	fnActivityByName, fnOrchestratorByName, "WaitForEvent", "Events", "NewEvent", "SideEffect", "Step", "NewEntity",
}

// checkPayloads reports payloads that JSON cannot keep, and calls by name whose
// types are not those of the function.
func (c *checker) checkPayloads(f *function) {
	if c.isTest(f.file) && c.pass.Pkg.Path() == durablePath {
		return // the tests of payloads themselves
	}
	ownForm := c.serializes()
	c.inspect(f, func(n ast.Node, _ []ast.Node) {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return
		}
		name := durableCall(c.info, call)
		if slices.Contains(payloadFunctions, name) && !ownForm {
			for _, t := range c.instance(call) {
				c.checkPayload(call.Fun, t)
			}
		}
		if a, ok := apis[name]; ok && a.in != none && a.in < len(call.Args) && !ownForm {
			c.checkPayload(call.Args[a.in], c.info.TypeOf(call.Args[a.in]))
		}
		if name == fnActivityByName || name == fnOrchestratorByName {
			c.checkNamedTypes(call, apis[name])
		}
	})
}

// serializes reports whether the package has payloads in a form of its own.
func (c *checker) serializes() bool {
	return slices.ContainsFunc(c.files(), func(file *ast.File) bool { return c.callIn(file, fnUseSerializer) != nil })
}

// instance are the type arguments of a call of a generic function.
func (c *checker) instance(call *ast.CallExpr) []types.Type {
	fun := ast.Unparen(call.Fun)
	for {
		switch x := fun.(type) {
		case *ast.IndexExpr:
			fun = x.X
		case *ast.IndexListExpr:
			fun = x.X
		case *ast.SelectorExpr:
			return slices.Collect(c.info.Instances[x.Sel].TypeArgs.Types())
		case *ast.Ident:
			return slices.Collect(c.info.Instances[x].TypeArgs.Types())
		default:
			return nil
		}
	}
}

func (c *checker) checkPayload(at ast.Node, t types.Type) {
	if t == nil {
		return
	}
	if why := unstorable(t, map[types.Type]bool{}); why != "" {
		c.report(ruleTypes, at, "a payload of type "+types.TypeString(t, types.RelativeTo(c.pass.Pkg))+" cannot be stored: "+why)
	}
}

// unstorable says why JSON does not keep a type; "" when it does.
func unstorable(t types.Type, seen map[types.Type]bool) string {
	if seen[t] || encodesItself(t) {
		return ""
	}
	seen[t] = true
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Info()&types.IsComplex != 0 || u.Kind() == types.UnsafePointer {
			return "it has a " + u.Name()
		}
	case *types.Signature:
		return "it has a function"
	case *types.Chan:
		return "it has a channel"
	case *types.Interface:
		if isError(t) {
			return "it has an error, which no reader can decode: use a text"
		}
	case *types.Pointer:
		return unstorable(u.Elem(), seen)
	case *types.Slice:
		return unstorable(u.Elem(), seen)
	case *types.Array:
		return unstorable(u.Elem(), seen)
	case *types.Map:
		return unstorable(u.Elem(), seen)
	case *types.Struct:
		return unstorableStruct(u, seen)
	}
	return ""
}

func unstorableStruct(s *types.Struct, seen map[types.Type]bool) string {
	kept := 0
	for i := range s.NumFields() {
		field := s.Field(i)
		if reflect.StructTag(s.Tag(i)).Get("json") == "-" {
			kept++ // left out on purpose
			continue
		}
		if !field.Exported() && !field.Embedded() {
			continue
		}
		kept++
		if why := unstorable(field.Type(), seen); why != "" {
			return "field " + field.Name() + ": " + why
		}
	}
	if kept == 0 && s.NumFields() > 0 {
		return "none of its fields is exported, so all are lost"
	}
	return ""
}

// encodesItself reports whether a type has methods of its own for JSON.
func encodesItself(t types.Type) bool {
	for _, method := range []string{"MarshalJSON", "MarshalText", "MarshalJSONTo"} {
		for _, t := range []types.Type{t, types.NewPointer(t)} {
			if _, isPointer := types.Unalias(t).(*types.Pointer); isPointer && types.IsInterface(t.(*types.Pointer).Elem()) {
				continue
			}
			if obj, _, _ := types.LookupFieldOrMethod(t, true, nil, method); obj != nil {
				return true
			}
		}
	}
	return false
}

// Kinds of JSON values; "" is any.
func jsonKind(t types.Type) string {
	if _, ok := types.Unalias(t).(*types.TypeParam); ok {
		return ""
	}
	if encodesItself(t) {
		if n := namedOf(t); n != nil && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "time" && n.Obj().Name() == "Time" {
			return "string"
		}
		return ""
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch {
		case u.Info()&types.IsString != 0:
			return "string"
		case u.Info()&types.IsBoolean != 0:
			return "boolean"
		case u.Info()&types.IsNumeric != 0:
			return "number"
		}
	case *types.Pointer:
		return jsonKind(u.Elem())
	case *types.Slice:
		if isBasic(u.Elem(), types.Byte) {
			return "string"
		}
		return "array"
	case *types.Array:
		return "array"
	case *types.Map:
		return "object"
	case *types.Struct:
		if isDurable(t, "None") {
			return ""
		}
		return "object"
	}
	return ""
}

// checkNamedTypes compares the types of a call by name with those of the
// function, where that is known.
func (c *checker) checkNamedTypes(call *ast.CallExpr, a api) {
	if a.name >= len(call.Args) || a.in >= len(call.Args) {
		return
	}
	name, ok := c.constant(call.Args[a.name])
	if !ok {
		return
	}
	d, ok := c.known()[definition{Kind: a.named, Name: name}.key()]
	if !ok {
		return
	}
	in := c.info.TypeOf(call.Args[a.in])
	if in != nil && differ(jsonKind(in), d.In) {
		c.report(ruleTypes, call.Args[a.in], fmt.Sprintf("%s %q takes a JSON %s, and is given a %s", a.named, name, d.In, jsonKind(in)))
	}
	for _, out := range c.instance(call) {
		if differ(jsonKind(out), d.Out) {
			c.report(ruleTypes, call.Fun, fmt.Sprintf("%s %q returns a JSON %s, and the call expects a %s", a.named, name, d.Out, jsonKind(out)))
		}
	}
}

func differ(a, b string) bool { return a != "" && b != "" && a != b }
