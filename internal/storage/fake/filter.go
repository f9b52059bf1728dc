package fake

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// filter is a parsed $filter: comparisons joined by and, or, not.
type filter struct {
	// operator is and, or, not, or a comparison: eq, ne, gt, ge, lt, le.
	operator    string
	left, right *filter
	column      string
	value       literal
}

// literal is a value of one of the types that filters compare.
type literal struct {
	kind   string // text, number, bool, time
	text   string
	number float64
	time   time.Time
}

func parseFilter(text string) (*filter, error) {
	p := &filterParser{rest: text}
	f, err := p.or()
	if err == nil && strings.TrimSpace(p.rest) != "" {
		err = errSyntax("$filter", p.rest)
	}
	return f, err
}

type filterParser struct{ rest string }

func (p *filterParser) or() (*filter, error)  { return p.joined("or", p.and) }
func (p *filterParser) and() (*filter, error) { return p.joined("and", p.term) }

func (p *filterParser) joined(word string, operand func() (*filter, error)) (*filter, error) {
	left, err := operand()
	for err == nil && p.take(word) {
		var right *filter
		right, err = operand()
		left = &filter{operator: word, left: left, right: right}
	}
	return left, err
}

func (p *filterParser) term() (*filter, error) {
	p.rest = strings.TrimSpace(p.rest)
	if p.take("not") {
		inner, err := p.term()
		return &filter{operator: "not", left: inner}, err
	}
	if strings.HasPrefix(p.rest, "(") {
		p.rest = p.rest[1:]
		f, err := p.or()
		if err != nil || !strings.HasPrefix(strings.TrimSpace(p.rest), ")") {
			return nil, errSyntax("$filter", p.rest)
		}
		p.rest = strings.TrimSpace(p.rest)[1:]
		return f, nil
	}
	return p.comparison()
}

func (p *filterParser) comparison() (*filter, error) {
	column, operator := p.word(), p.word()
	switch operator {
	case "eq", "ne", "gt", "ge", "lt", "le":
	default:
		return nil, errSyntax("$filter", column+" "+operator+" "+p.rest)
	}
	value, err := p.literal()
	return &filter{operator: operator, column: column, value: value}, err
}

// take consumes a word if it comes next.
func (p *filterParser) take(word string) bool {
	rest, ok := strings.CutPrefix(strings.TrimSpace(p.rest), word)
	if !ok || rest == "" || rest[0] != ' ' && rest[0] != '(' {
		return false
	}
	p.rest = rest
	return true
}

func (p *filterParser) word() string {
	p.rest = strings.TrimSpace(p.rest)
	end := strings.IndexAny(p.rest, " ()")
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	return word
}

func (p *filterParser) literal() (v literal, err error) {
	p.rest = strings.TrimSpace(p.rest)
	for _, prefix := range []string{"datetime", "guid", ""} {
		text, ok := strings.CutPrefix(p.rest, prefix)
		if !ok || !strings.HasPrefix(text, "'") {
			continue
		}
		v.kind = "text"
		if v.text, p.rest, err = parseQuoted(text); err == nil && prefix == "datetime" {
			v.kind = "time"
			v.time, err = time.Parse(time.RFC3339Nano, v.text)
		}
		return v, err
	}
	word := p.word()
	if word == "true" || word == "false" {
		return literal{kind: "bool", text: word}, nil
	}
	v.kind = "number"
	if v.number, err = strconv.ParseFloat(strings.TrimRight(word, "Ll"), 64); err != nil {
		return v, errSyntax("$filter", word)
	}
	return v, nil
}

// parseQuoted reads a text in quotes, in which quotes are doubled.
func parseQuoted(text string) (value, rest string, err error) {
	if !strings.HasPrefix(text, "'") {
		return "", "", errSyntax("quoted text", text)
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		if text[i] != '\'' {
			b.WriteByte(text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		return b.String(), text[i+1:], nil
	}
	return "", "", fmt.Errorf("quoted text has no end: %.200s", text)
}

// match reports whether a row passes. A nil filter passes all; a column that the
// row has not, or that is of another type, passes no comparison.
func (f *filter) match(r *row) bool {
	if f == nil {
		return true
	}
	switch f.operator {
	case "and":
		return f.left.match(r) && f.right.match(r)
	case "or":
		return f.left.match(r) || f.right.match(r)
	case "not":
		return !f.left.match(r)
	}
	have, ok := r.value(f.column, f.value.kind)
	if !ok {
		return false
	}
	order := have.compare(f.value)
	switch f.operator {
	case "eq":
		return order == 0
	case "ne":
		return order != 0
	case "gt":
		return order > 0
	case "ge":
		return order >= 0
	case "lt":
		return order < 0
	default:
		return order <= 0
	}
}

func (v literal) compare(w literal) int {
	return cmp.Or(strings.Compare(v.text, w.text)*boolInt(v.kind != "time"), cmp.Compare(v.number, w.number), v.time.Compare(w.time))
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// value is a column in the type of the literal that it is compared with.
func (r *row) value(name, kind string) (v literal, ok bool) {
	v.kind = kind
	switch name {
	case "PartitionKey":
		v.text = r.partition
		return v, kind == "text"
	case "RowKey":
		v.text = r.key
		return v, kind == "text"
	case "Timestamp":
		v.time = r.stamp
		return v, kind == "time"
	}
	for _, c := range r.columns {
		if c.name == name {
			return c.value(kind)
		}
	}
	return v, false
}

func (c column) value(kind string) (v literal, ok bool) {
	v.kind = kind
	quoted := json.Unmarshal(c.raw, &v.text) == nil
	var err error
	switch kind {
	case "text":
		return v, quoted && c.edm != "Edm.DateTime" && c.edm != "Edm.Int64"
	case "bool":
		v.text = string(c.raw)
		return v, v.text == "true" || v.text == "false"
	case "time":
		v.time, err = time.Parse(time.RFC3339Nano, v.text)
		return v, quoted && c.edm == "Edm.DateTime" && err == nil
	default:
		number := strings.Trim(string(c.raw), `"`)
		v.text = ""
		v.number, err = strconv.ParseFloat(number, 64)
		return v, (!quoted || c.edm == "Edm.Int64") && err == nil
	}
}
