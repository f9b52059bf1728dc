package observe_test

import (
	"testing"

	"github.com/durable-go/functions/durable/observe"
)

func TestTrace(t *testing.T) {
	const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for _, c := range []struct {
		parent         string
		valid, sampled bool
	}{
		{good, true, true},
		{"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", true, false},
		{"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03", true, true},
		{"01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false, false},
		{"00-00000000000000000000000000000000-b7ad6b7169203331-01", false, false},
		{"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false, false},
		{"00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false, false},
		{"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-zz", false, false},
		{"00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false, false},
		{good + "-x", false, false},
		{"", false, false},
	} {
		trace := observe.Trace{Parent: c.parent, State: "a=b"}
		if trace.Valid() != c.valid || trace.Sampled() != c.sampled {
			t.Errorf("%q: valid %v, sampled %v", c.parent, trace.Valid(), trace.Sampled())
		}
		if own := trace.With("00f067aa0ba902b7"); c.valid && (own.SpanID() != "00f067aa0ba902b7" || own.State != "a=b") || !c.valid && own != (observe.Trace{}) {
			t.Errorf("%q with another span: %+v", c.parent, own)
		}
	}
	if own := (observe.Trace{Parent: good}).With("short"); own != (observe.Trace{}) {
		t.Errorf("with an id that is none: %+v", own)
	}
}
