package handler

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// template is the route of an HTTP function, in the syntax of ASP.NET Core:
// literals, {p}, {p?}, {p:int}, {p=default} and {*rest}.
type template struct{ segments []segment }

type segment struct {
	literal string
	// name of the parameter; empty for a literal.
	name       string
	constraint string
	optional   bool
	fallback   string
	rest       bool
}

func parseTemplate(route string) (*template, error) {
	t := &template{}
	for text := range strings.SplitSeq(strings.Trim(route, "/"), "/") {
		s, err := parseSegment(text)
		if err != nil {
			return nil, fmt.Errorf("route %q: %w", route, err)
		}
		if n := len(t.segments); n > 0 && t.segments[n-1].rest {
			return nil, fmt.Errorf("route %q: nothing may follow {*%s}", route, t.segments[n-1].name)
		}
		for _, other := range t.segments {
			if s.name != "" && strings.EqualFold(other.name, s.name) {
				return nil, fmt.Errorf("route %q: two parameters are named {%s}", route, s.name)
			}
		}
		t.segments = append(t.segments, s)
	}
	return t, nil
}

func parseSegment(text string) (segment, error) {
	if !strings.ContainsAny(text, "{}") {
		return segment{literal: text}, nil
	}
	inner, ok := strings.CutPrefix(text, "{")
	inner, closed := strings.CutSuffix(inner, "}")
	if !ok || !closed || strings.ContainsAny(inner, "{}") {
		return segment{}, fmt.Errorf("segment %q: a parameter must be a whole segment", text)
	}
	s := segment{}
	inner, s.rest = strings.CutPrefix(inner, "*")
	inner = strings.TrimPrefix(inner, "*")
	inner, s.optional = strings.CutSuffix(inner, "?")
	inner, s.fallback, _ = strings.Cut(inner, "=")
	s.name, s.constraint, _ = strings.Cut(inner, ":")
	s.constraint, _ = strings.CutSuffix(s.constraint, "?")
	if s.name == "" {
		return segment{}, fmt.Errorf("segment %q: the parameter has no name", text)
	}
	return s, nil
}

// match sets the path values of a request whose path fits, and reports whether
// it does.
func (t *template) match(r *http.Request) bool {
	path := strings.Split(strings.Trim(r.URL.EscapedPath(), "/"), "/")
	if len(path) == 1 && path[0] == "" {
		path = nil
	}
	values := map[string]string{}
	for i, s := range t.segments {
		if s.rest {
			values[s.name] = strings.Join(decodeAll(path[min(i, len(path)):]), "/")
			path = nil
			break
		}
		if i >= len(path) {
			if !s.optional && s.fallback == "" || s.name == "" {
				return false
			}
			values[s.name] = s.fallback
			continue
		}
		text, err := url.PathUnescape(path[i])
		if err != nil || !s.accepts(text) {
			return false
		}
		if s.name != "" {
			values[s.name] = text
		}
	}
	if len(path) > len(t.segments) {
		return false
	}
	for name, value := range values {
		r.SetPathValue(name, value)
	}
	return true
}

func decodeAll(parts []string) []string {
	out := make([]string, len(parts))
	for i, part := range parts {
		if plain, err := url.PathUnescape(part); err == nil {
			part = plain
		}
		out[i] = part
	}
	return out
}

// accepts checks literals without case and the simple constraints; those that
// the handler does not know are the host's to check. An empty segment is no
// value.
func (s segment) accepts(text string) bool {
	if s.name == "" {
		return strings.EqualFold(s.literal, text)
	}
	if text == "" {
		return false
	}
	switch s.constraint {
	case "int", "long":
		_, err := strconv.ParseInt(text, 10, 64)
		return err == nil
	case "bool":
		_, err := strconv.ParseBool(strings.ToLower(text))
		return err == nil
	}
	return true
}
