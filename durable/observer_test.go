package durable

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/durable-go/functions/durable/observe"
)

type silent struct{}

func (silent) Begin(ctx context.Context, _ *observe.Span) (context.Context, func()) {
	return ctx, func() {}
}
func (silent) Ended([]*observe.Span)                         {}
func (silent) Root(*observe.Span) observe.Trace              { return observe.Trace{} }
func (silent) Handler(_ string, h http.Handler) http.Handler { return h }
func (silent) Request(_, _ string, _ int, _ time.Duration)   {}
func (silent) Flush(context.Context) error                   { return nil }

// An app has one observer, which is there.
func TestObserveTwiceIsAMistake(t *testing.T) {
	for _, c := range []struct {
		observers []Observer
		wrong     bool
	}{{[]Observer{silent{}}, false}, {[]Observer{nil}, true}, {[]Observer{silent{}, silent{}}, true}} {
		app := NewApp()
		for _, o := range c.observers {
			app.Observe(o)
		}
		if wrong := len(app.errs) > 0; wrong != c.wrong {
			t.Errorf("%v: %v", c.observers, app.errs)
		}
	}
}
