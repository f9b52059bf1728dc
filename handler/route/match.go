package route

import "strings"

// Values are the values of a template's parameters, by name. An optional
// parameter that the path does not have is not among them.
type Values map[string]string

// Match fits a path to the template: a decoded one, see [Path]. One slash at its
// end counts for nothing, an empty segment fits a catch-all only.
func (t *Template) Match(path string) (Values, Fit) {
	values := Values{}
	rest, i := strings.TrimPrefix(path, "/"), 0
	for ; rest != ""; i++ {
		text, more, _ := strings.Cut(rest, "/")
		if text == "" || i == len(t.segments) {
			return nil, No
		}
		s := t.segments[i]
		if s[0].rest {
			values[s[0].name] = rest
			i++
			break
		}
		if !s.take(text, values) {
			return nil, No
		}
		rest = more
	}
	for ; i < len(t.segments); i++ {
		if !t.segments[i].absent(values) {
			return nil, No
		}
	}
	fit := t.judge(values)
	if fit == No {
		return nil, No
	}
	return values, fit
}

// take fits one segment of a path, and reports whether it does.
func (s segment) take(text string, values Values) bool {
	switch {
	case !s.simple():
		return s.takeParts(text, values)
	case s[0].name == "":
		return equalFold(s[0].literal, text)
	}
	values[s[0].name] = text
	return true
}

// absent fits a segment where the path has ended.
func (s segment) absent(values Values) bool {
	p := s[0]
	if !s.simple() || p.name == "" || !p.optional && !p.hasFallback && !p.rest {
		return false
	}
	if p.hasFallback {
		values[p.name] = p.fallback
	}
	return true
}

// judge asks the constraints.
func (t *Template) judge(values Values) Fit {
	fit := Yes
	for _, s := range t.segments {
		for _, p := range s {
			value, present := values[p.name]
			if p.name == "" || p.optional && !present {
				continue
			}
			for _, fits := range p.constraints {
				switch fits(value, present) {
				case No:
					return No
				case Unsure:
					fit = Unsure
				}
			}
		}
	}
	return fit
}

// takeParts fits a segment of several parts. An optional one at its end, with
// the point before it, may be missing.
func (s segment) takeParts(text string, values Values) bool {
	if s.takeFrom(text, values) {
		return true
	}
	if last := s[len(s)-1]; !last.optional || strings.HasSuffix(text, ".") {
		return false
	}
	return s[:len(s)-2].takeFrom(text, values)
}

// takeFrom goes from right to left: each literal is looked for as far to the
// right as it can be, and each parameter gets what is between, which must be
// something.
func (s segment) takeFrom(text string, values Values) bool {
	found := Values{}
	left, folded := []rune(text), []rune(fold(text))
	var pending *part
	for i := len(s) - 1; i >= 0; i-- {
		p := &s[i]
		if p.name != "" {
			pending = p
			continue
		}
		within := folded[:len(left)]
		if pending != nil && len(within) > 0 {
			within = within[:len(within)-1]
		}
		literal := []rune(fold(p.literal))
		at := lastIndex(within, literal)
		if at < 0 || pending == nil && at+len(literal) != len(left) {
			return false
		}
		if pending != nil {
			found[pending.name] = string(left[at+len(literal):])
			pending = nil
		}
		left = left[:at]
	}
	if (pending == nil) != (len(left) == 0) {
		return false
	}
	if pending != nil {
		found[pending.name] = string(left)
	}
	for name, value := range found {
		values[name] = value
	}
	return true
}

func lastIndex(text, part []rune) int {
	for at := len(text) - len(part); at >= 0; at-- {
		if string(text[at:at+len(part)]) == string(part) {
			return at
		}
	}
	return -1
}
