package route

import (
	"errors"
	"fmt"
	"strings"
)

// parseParameter reads what stands between the braces:
// [*|**]name[:constraint[(arguments)]]...[=default][?].
func parseParameter(text string) (p part, err error) {
	inner, optional := strings.CutSuffix(text, "?")
	p.optional = optional
	if stripped, rest := strings.CutPrefix(inner, "*"); rest {
		p.rest, inner = true, strings.TrimPrefix(stripped, "*")
	}
	// A name may begin with a colon or an equals sign.
	end := 0
	for end < len(inner) && (end == 0 || inner[end] != ':' && inner[end] != '=') {
		end++
	}
	p.name = inner[:end]
	if p.name == "" || strings.ContainsAny(p.name, "/{}?*") {
		return p, fmt.Errorf("{%s}: %q is not the name of a parameter", text, p.name)
	}
	constraints, fallback, hasFallback := cutConstraints(inner[end:])
	switch {
	case p.rest && p.optional:
		return p, fmt.Errorf("{%s}: a catch-all cannot be optional; it takes nothing as well", text)
	case p.optional && hasFallback:
		return p, fmt.Errorf("{%s}: a parameter with a default value cannot be optional", text)
	}
	p.fallback, p.hasFallback = fallback, hasFallback
	for _, c := range constraints {
		made, err := newConstraint(c)
		if err != nil {
			return p, fmt.Errorf("{%s}: %w", text, err)
		}
		p.constraints = append(p.constraints, made)
	}
	return p, nil
}

// cutConstraints splits ":a:b(c)=default". What stands in parentheses is taken
// whole: they end at one that a colon, an equals sign or the end follows.
func cutConstraints(text string) (constraints []string, fallback string, hasFallback bool) {
	for strings.HasPrefix(text, ":") {
		text = text[1:]
		end := constraintEnd(text)
		if end > 0 {
			constraints = append(constraints, text[:end])
		}
		text = text[end:]
	}
	fallback, hasFallback = strings.CutPrefix(text, "=")
	return constraints, fallback, hasFallback
}

func constraintEnd(text string) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case ':', '=':
			return i
		case '(':
			return i + argumentsEnd(text[i:])
		}
	}
	return len(text)
}

// argumentsEnd finds the end of "(...)". A colon or an equals sign inside needs
// a parenthesis behind it, else it ends the constraint.
func argumentsEnd(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case ')':
			if i+1 == len(text) || text[i+1] == ':' || text[i+1] == '=' {
				return i + 1
			}
		case ':', '=':
			next := strings.IndexByte(text[i+1:], ')')
			if next < 0 {
				return i
			}
			i += next
		}
	}
	return len(text)
}

var errArguments = errors.New("wrong number of arguments")

// newConstraint makes the constraint that is written as name or name(arguments).
func newConstraint(text string) (constraint, error) {
	name, arguments, has := text, "", false
	if i := strings.IndexByte(text, '('); i >= 0 && strings.HasSuffix(text, ")") {
		name, arguments, has = text[:i], text[i+1:len(text)-1], true
	}
	for known, make := range constraints {
		if !equalFold(known, name) {
			continue
		}
		c, err := make(arguments, has)
		if err != nil {
			return nil, fmt.Errorf("constraint %q: %w", text, err)
		}
		return c, nil
	}
	return nil, fmt.Errorf("there is no constraint %q", text)
}
