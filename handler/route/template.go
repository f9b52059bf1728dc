package route

import (
	"errors"
	"fmt"
	"strings"
)

// Template is a parsed route: literals, {p}, {p?}, {p=default}, {p:int},
// {*rest}, and segments of several of these. It is read-only.
type Template struct {
	text     string
	segments []segment
}

// segment is what stands between two slashes: one part, or several, in which
// parameters and literals take turns.
type segment []part

// part is a literal or a parameter.
type part struct {
	literal string
	// name of the parameter; empty for a literal.
	name        string
	constraints []constraint
	optional    bool
	// fallback is the default value, where there is one.
	fallback    string
	hasFallback bool
	rest        bool
}

func (s segment) simple() bool { return len(s) == 1 }

// String is the template as it was written.
func (t *Template) String() string { return t.text }

// Parse reads a template. It refuses what keeps the host from starting, and the
// error says why.
func Parse(text string) (*Template, error) {
	t := &Template{text: text}
	if strings.Contains(strings.TrimPrefix(text, "/"), "//") || strings.HasPrefix(text, "//") {
		return nil, fmt.Errorf("route %q: two slashes follow each other", text)
	}
	path := strings.TrimSuffix(strings.TrimPrefix(text, "/"), "/")
	if path == "" {
		return t, nil
	}
	names := map[string]bool{}
	for _, raw := range splitSegments(path) {
		s, err := parseSegment(raw)
		if err == nil && len(t.segments) > 0 && t.segments[len(t.segments)-1][0].rest {
			err = errors.New("nothing may follow a catch-all")
		}
		for _, p := range s {
			if folded := fold(p.name); p.name != "" && names[folded] {
				err = fmt.Errorf("two parameters are named {%s}", p.name)
			} else {
				names[folded] = true
			}
		}
		if err != nil {
			return nil, fmt.Errorf("route %q: %w", text, err)
		}
		t.segments = append(t.segments, s)
	}
	return t, nil
}

// splitSegments splits at the slashes outside of parameters: a constraint may
// have one in it.
func splitSegments(path string) (out []string) {
	start, inside := 0, false
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case (c == '{' || c == '}') && i+1 < len(path) && path[i+1] == c:
			i++
		case c == '{':
			inside = true
		case c == '}':
			inside = false
		case c == '/' && !inside:
			out = append(out, path[start:i])
			start = i + 1
		}
	}
	return append(out, path[start:])
}

var errBraces = errors.New("braces do not match: a parameter is written {name}, a brace in text {{ or }}")

func parseSegment(text string) (s segment, err error) {
	for text != "" {
		var p part
		if strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "{{") {
			p, text, err = cutParameter(text)
		} else {
			p, text, err = cutLiteral(text)
		}
		if err != nil {
			return nil, err
		}
		s = append(s, p)
	}
	return s, s.check()
}

// cutLiteral takes the text up to the next parameter.
func cutLiteral(text string) (p part, rest string, err error) {
	var b strings.Builder
	i := 0
	for ; i < len(text); i++ {
		c := text[i]
		if c != '{' && c != '}' {
			b.WriteByte(c)
			continue
		}
		doubled := i+1 < len(text) && text[i+1] == c
		if c == '{' && !doubled {
			break
		}
		if !doubled {
			return p, "", errBraces
		}
		b.WriteByte(c)
		i++
	}
	p.literal = b.String()
	if strings.Contains(p.literal, "?") {
		return p, "", fmt.Errorf("%q: a path has no question mark", p.literal)
	}
	return p, text[i:], nil
}

// cutParameter takes {...}; doubled braces in it are part of a constraint.
func cutParameter(text string) (p part, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		c := text[i]
		switch doubled := i+1 < len(text) && text[i+1] == c; {
		case (c == '{' || c == '}') && doubled:
			b.WriteByte(c)
			i++
		case c == '}':
			p, err = parseParameter(b.String())
			return p, text[i+1:], err
		case c == '{':
			return p, "", errBraces
		default:
			b.WriteByte(c)
		}
	}
	return p, "", errBraces
}

// check applies the rules about neighbours in a segment.
func (s segment) check() error {
	for i, p := range s {
		switch {
		case p.rest && len(s) > 1:
			return fmt.Errorf("the catch-all {*%s} must be a whole segment", p.name)
		case i > 0 && p.name != "" && s[i-1].name != "":
			return fmt.Errorf("the parameters {%s}{%s} have nothing between them", s[i-1].name, p.name)
		case p.optional && i < len(s)-1:
			return fmt.Errorf("the optional parameter {%s?} must be at the end of its segment", p.name)
		case p.optional && i > 0 && (s[i-1].literal != "." || i == 1):
			return fmt.Errorf("the optional parameter {%s?} may follow a parameter and a point only, as in {name}.{%s?}", p.name, p.name)
		}
	}
	return nil
}
