package internal_test

import (
	"go/ast"
	"os"
	"regexp"
	"strings"
	"testing"
)

// api is what a package exports: its names, and the methods and fields of its types.
type api struct {
	names   map[string]bool
	members map[string]map[string]bool
	// within are the types that a type embeds, or stands for.
	within map[string][]string
}

// exports reads the API of a package.
func exports(t *testing.T, dir string) *api {
	t.Helper()
	a := &api{names: map[string]bool{}, members: map[string]map[string]bool{}, within: map[string][]string{}}
	for _, f := range readSource(t, dir).files {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					a.names[d.Name.Name] = true
				} else {
					a.member(typeName(d.Recv.List[0].Type), d.Name.Name)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					a.declare(s)
				}
			}
		}
	}
	return a
}

func (a *api) declare(s ast.Spec) {
	switch s := s.(type) {
	case *ast.ValueSpec:
		for _, name := range s.Names {
			a.names[name.Name] = true
		}
	case *ast.TypeSpec:
		a.names[s.Name.Name] = true
		structure, ok := s.Type.(*ast.StructType)
		if !ok {
			return
		}
		for _, field := range structure.Fields.List {
			for _, name := range field.Names {
				a.member(s.Name.Name, name.Name)
			}
			if len(field.Names) == 0 {
				a.within[s.Name.Name] = append(a.within[s.Name.Name], typeName(field.Type))
			}
		}
	}
}

func (a *api) member(of, name string) {
	if a.members[of] == nil {
		a.members[of] = map[string]bool{}
	}
	a.members[of][name] = true
}

// has reports whether a type has a method or a field, of its own or embedded.
func (a *api) has(of, name string) bool {
	if a.members[of][name] {
		return true
	}
	for _, embedded := range a.within[of] {
		if a.has(embedded, name) {
			return true
		}
	}
	return false
}

// typeName is the name of a type, without what it is a pointer or an instance of.
func typeName(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.StarExpr:
		return typeName(x.X)
	case *ast.IndexExpr:
		return typeName(x.X)
	case *ast.IndexListExpr:
		return typeName(x.X)
	case *ast.SelectorExpr:
		return x.Sel.Name
	}
	return ""
}

var (
	qualified = regexp.MustCompile(`\b(durable|durabletest)\.([A-Z]\w*)`)
	ofContext = regexp.MustCompile(`\bctx\.([A-Z]\w*)`)
	method    = regexp.MustCompile("`(App|Client|Context|Event|Instance|Operation|Orchestrator|Status|TaskError|Timer|View)\\.([A-Z]\\w*)")
)

// What pages name of the packages for apps is there: functions, types, and methods
// behind the name of their type.
func TestPagesNameAPIThatExists(t *testing.T) {
	packages := map[string]*api{"durable": exports(t, "../durable"), "durabletest": exports(t, "../durabletest")}
	seen := 0
	for _, page := range pages(t) {
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		text := string(raw)
		for _, m := range qualified.FindAllStringSubmatch(text, -1) {
			if seen++; !packages[m[1]].names[m[2]] {
				t.Errorf("%s names %s, which is not there", page, m[0])
			}
		}
		for _, m := range method.FindAllStringSubmatch(text, -1) {
			if seen++; !packages["durable"].has(m[1], m[2]) && !packages["durabletest"].has(m[1], m[2]) {
				t.Errorf("%s names %s, which is not there", page, strings.Trim(m[0], "`"))
			}
		}
		for _, m := range ofContext.FindAllStringSubmatch(text, -1) {
			if m[1] != "Done" && m[1] != "Err" && !packages["durable"].has("Context", m[1]) && !packages["durable"].has("EntityContext", m[1]) {
				t.Errorf("%s names %s, which is not there", page, m[0])
			}
		}
	}
	if seen < 200 {
		t.Errorf("found only %d names", seen)
	}
}
