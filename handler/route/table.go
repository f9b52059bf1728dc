package route

import (
	"fmt"
	"slices"
	"strings"
)

// Entry is one function.
type Entry struct {
	Function string
	Template *Template
	// Methods are the verbs that the function takes; nil: every verb, empty: none.
	Methods []string
	// Level is authLevel, for what [Table.Conflicts] says.
	Level string
}

// Table holds the functions of an app in the order in which the host asks them.
type Table struct{ entries []Entry }

// Add puts a function into the table.
func (t *Table) Add(e Entry) {
	at, _ := slices.BinarySearchFunc(t.entries, e, func(a, b Entry) int { return CompareNames(a.Function, b.Function) })
	t.entries = slices.Insert(t.entries, at, e)
}

// Same names a function in the table that has the route of the entry, compared without
// case and without slashes at the ends, and a method of it; empty: none has. The host
// leaves out the one of them whose name comes later.
func (t *Table) Same(e Entry) string {
	for _, other := range t.entries {
		all := len(e.Methods) == 0 || len(other.Methods) == 0
		if equalFold(strings.Trim(other.Template.String(), "/"), strings.Trim(e.Template.String(), "/")) && (all || slices.ContainsFunc(e.Methods, other.takes)) {
			return other.Function
		}
	}
	return ""
}

// Find returns the function that the host chooses for a decoded path, and the
// values of its parameters. The answer is Unsure where the host may have chosen
// the function or a later one.
func (t *Table) Find(method, path string) (function string, values Values, fit Fit) {
	for _, e := range t.entries {
		if !e.takes(method) {
			continue
		}
		v, f := e.Template.Match(path)
		switch {
		case f == No:
		case fit == Unsure:
			return function, values, Unsure
		case f == Yes:
			return e.Function, v, Yes
		default:
			function, values, fit = e.Function, v, Unsure
		}
	}
	if fit == Unsure {
		// There is no other function that it could have been.
		fit = Yes
	}
	return function, values, fit
}

func (e *Entry) takes(method string) bool {
	return e.Methods == nil || slices.ContainsFunc(e.Methods, func(m string) bool { return equalFold(m, method) })
}

// Conflicts names the pairs of functions that have different levels and a path
// in common: the first by name gets it, which is not always what was meant.
func (t *Table) Conflicts() (out []string) {
	for i, a := range t.entries {
		for _, b := range t.entries[i+1:] {
			if strings.EqualFold(a.Level, b.Level) || !a.meets(b) || !a.Template.overlaps(b.Template) {
				continue
			}
			out = append(out, fmt.Sprintf("%s (%s, route %q) takes paths of %s (%s, route %q), because its name comes first",
				a.Function, a.Level, a.Template, b.Function, b.Level, b.Template))
		}
	}
	return out
}

func (e *Entry) meets(other Entry) bool {
	return e.Methods == nil && (other.Methods == nil || len(other.Methods) > 0) || slices.ContainsFunc(e.Methods, other.takes)
}

// overlaps reports whether a path may fit both templates. It looks at one
// constraint against a literal, not at two against each other.
func (t *Template) overlaps(other *Template) bool {
	for i := 0; ; i++ {
		a, b := t.at(i), other.at(i)
		switch {
		case a == nil && b == nil, a != nil && a[0].rest, b != nil && b[0].rest:
			return true
		case a == nil:
			return b.absent(Values{})
		case b == nil:
			return a.absent(Values{})
		case !a.fits(b) || !b.fits(a):
			return false
		}
	}
}

func (t *Template) at(i int) segment {
	if i < len(t.segments) {
		return t.segments[i]
	}
	return nil
}

// fits reports whether a segment takes another one that is a literal; anything
// else it may take.
func (s segment) fits(other segment) bool {
	if !other.simple() || other[0].name != "" {
		return true
	}
	values := Values{}
	return s.take(other[0].literal, values) && (&Template{segments: []segment{s}}).judge(values) != No
}
