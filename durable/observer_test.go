package durable

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
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
func (silent) Measure(observe.Measurement)                   {}
func (silent) Watch(observe.Gauges) (stop func())            { return func() {} }
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

// flushing counts how often it is flushed, and whether there was a bound.
type flushing struct {
	silent
	bounded atomic.Int32
}

func (f *flushing) Flush(ctx context.Context) error {
	if _, ok := ctx.Deadline(); ok {
		f.bounded.Add(1)
	}
	return nil
}

// An app that is asked to stop flushes its observer, within the time for that.
func TestStopFlushesTheObserver(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "host.json"), []byte(`{"version": "2.0", "extensions": {"durableTask": {"hubName": "FlushHub"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("FUNCTIONS_APP_ROOT_PATH", root)
	t.Setenv("AzureWebJobsStorage", "memory")
	t.Setenv("DURABLE_STANDALONE", "127.0.0.1:0")
	observer := &flushing{}
	app := NewApp()
	app.Observe(observer)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := app.Run(ctx); !errors.Is(err, errStopped) {
		t.Errorf("Run returns %v", err)
	}
	if n := observer.bounded.Load(); n != 1 {
		t.Errorf("flushed %d times", n)
	}
}
