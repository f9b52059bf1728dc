package durable

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/handler"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/tracing"
)

// Observer is told of what an app does: see package observe. Package durableotel, a
// module of its own, makes OpenTelemetry's traces and metrics of it.
type Observer = observe.Observer

// Observe lets an observer know of what the app does. An app has one at most; without
// one it spends nothing on it. Call it before Run.
func (a *App) Observe(o Observer) {
	if o == nil {
		a.errs = append(a.errs, errors.New("the observer is nil"))
		return
	}
	if a.registry.observer != nil {
		a.errs = append(a.errs, errors.New("the app has two observers"))
	}
	a.registry.observer = o
}

// observeHTTP puts the observer around an HTTP function.
func (r *registry) observeHTTP(name string, h http.Handler) http.Handler {
	if r.observer == nil {
		return h
	}
	return r.observer.Handler(name, h)
}

// observeTrigger runs a trigger function within a span.
func (r *registry) observeTrigger(ctx context.Context, inv *handler.Invocation, run func(context.Context) error) error {
	if r.observer == nil {
		return run(ctx)
	}
	s := &observe.Span{
		Kind: observe.Trigger, Role: observe.Serves, Name: inv.Function.Name, TaskID: observe.NoTask,
		Trace: observe.Trace{Parent: inv.TraceParent, State: inv.TraceState},
	}
	if inv.Queue != nil {
		s.TargetID, s.Attempt = inv.Queue.Queue, inv.Queue.DequeueCount
	}
	ctx, end := r.observer.Begin(ctx, s)
	defer end()
	var err error
	panicked := handler.Protect(func() { err = run(ctx) })
	if panicked != nil {
		err = panicked
	}
	if err != nil {
		s.Failure = &observe.Failure{Type: "error", Message: err.Error()}
	}
	return err
}

// traced is the context of an orchestration's log records: within its span.
func (r *registry) traced(rt *engine.Runtime) func(context.Context) context.Context {
	started := rt.Started()
	if r.observer == nil || started == nil || started.Trace == nil || started.Trace.SpanID == "" {
		return nil
	}
	return func(ctx context.Context) context.Context {
		ctx, _ = r.observer.Begin(ctx, &observe.Span{
			Kind: observe.Orchestration, Role: observe.Serves, Name: started.Name, InstanceID: rt.InstanceID(),
			TaskID: observe.NoTask, Trace: tracing.Of(started.Trace), ID: started.Trace.SpanID,
		})
		return ctx
	}
}

// requested tells the observer of requests to the storage account; nil where there is
// none.
func (r *registry) requested() storage.Requested {
	if r.observer == nil {
		return nil
	}
	return func(s storage.Service, operation string, status int, took time.Duration) {
		r.observer.Request(string(s), operation, status, took)
	}
}

// spilled tells the observer of payloads that went into blobs; nil where there is none.
func (r *registry) spilled() func(bytes int) {
	if r.observer == nil {
		return nil
	}
	return func(bytes int) {
		r.observer.Measure(observe.Measurement{Quantity: observe.Spilled, Value: float64(bytes)})
	}
}

// flush sends what the observer has not sent yet.
func (r *registry) flush(ctx context.Context, log *slog.Logger) {
	if r.observer == nil {
		return
	}
	if err := r.observer.Flush(ctx); err != nil {
		log.Warn("telemetry was not sent before the app stopped", "error", err)
	}
}
