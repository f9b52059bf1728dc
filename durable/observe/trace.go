package observe

import "strings"

// Trace is a W3C trace context, as the headers traceparent and tracestate carry it.
type Trace struct {
	Parent string `json:"parent,omitempty"`
	State  string `json:"state,omitempty"`
}

// traceparent is how long a traceparent of version 00 is: version, trace id, span id
// and flags, with dashes between them.
const traceparent = len("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")

// Valid reports whether the context names a trace and a span. It accepts version 00
// only, the one that there is.
func (t Trace) Valid() bool {
	p := t.Parent
	return len(p) == traceparent && p[:3] == "00-" && p[35] == '-' && p[52] == '-' &&
		isID(p[3:35]) && isID(p[36:52]) && isHex(p[53:])
}

// isID reports whether an id is hexadecimal and not all zeros.
func isID(s string) bool {
	for i := range len(s) {
		if s[i] != '0' {
			return isHex(s)
		}
	}
	return false
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// With is the context of another span of the trace; the zero Trace where the context
// is not valid.
func (t Trace) With(span string) Trace {
	if !t.Valid() || len(span) != 16 {
		return Trace{}
	}
	return Trace{Parent: t.Parent[:36] + span + t.Parent[52:], State: t.State}
}

// SpanID is the id of the span that the context names; empty where it is not valid.
func (t Trace) SpanID() string {
	if !t.Valid() {
		return ""
	}
	return t.Parent[36:52]
}

// Sampled reports whether the spans of the trace are recorded.
func (t Trace) Sampled() bool { return t.Valid() && strings.ContainsAny(t.Parent[54:], "13579bdf") }
