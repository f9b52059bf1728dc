package durableotel_test

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/opening"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/memory"
	"github.com/durable-go/functions/internal/worker"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// live is a process that runs: an app with telemetry of its own, and its worker.
type live struct {
	*recorder
	client *durable.Client
	worker *worker.Worker
	hub    string
	stop   func()
}

// begins starts a process of an app on a hub, which sends every step through the queues, so that
// any process may take it.
func begins(t *testing.T, r *recorder, hub *memory.Hub) *live {
	t.Helper()
	p := &live{recorder: r, stop: func() {}}
	request := opening.Request{App: p.app}
	for _, f := range more {
		request.Functions = append(request.Functions, f)
	}
	opened, err := opening.Open(request)
	if err != nil {
		t.Fatal(err)
	}
	o := opened.Worker
	o.Store, o.Dispatch, o.Log = hub, worker.Queue, slog.New(slog.DiscardHandler)
	p.hub, p.client = opened.Hub, opened.Connect(hub, client.Options{}).(*durable.Client)
	if p.worker, err = worker.New(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.stop()
		p.worker.Kill()
		opened.Release()
	})
	return p
}

// polls makes the process take what it is told to take, and nothing else any more.
func (p *live) polls(control, work bool) {
	p.stop()
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	if control {
		p.worker.Poll(ctx, taskhub.ControlQueue(p.hub))
	}
	if work {
		p.worker.PollActivities(ctx, taskhub.WorkItemQueue(p.hub))
	}
}

// TestTwoProcesses: the tree is the same where two processes share the work, and where it
// moves from one to the other. Each span is written by one of them, once.
func TestTwoProcesses(t *testing.T) {
	want, err := os.ReadFile("testdata/trees/everything.txt")
	if err != nil {
		t.Fatal(err)
	}
	for name, share := range map[string]func(a, b *live, phase int){
		"turns here and activities there, and then the other way round": func(a, b *live, phase int) {
			a.polls(phase%2 == 0, phase%2 == 1)
			b.polls(phase%2 == 1, phase%2 == 0)
		},
		"both take everything": func(a, b *live, _ int) {
			a.polls(true, true)
			b.polls(true, true)
		},
		"one after the other": func(a, b *live, phase int) {
			a.polls(phase%2 == 0, phase%2 == 0)
			b.polls(phase%2 == 1, phase%2 == 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			one, other := record(), record()
			synctest.Test(t, func(t *testing.T) {
				hub := memory.New(memory.Options{})
				a, b := begins(t, one, hub), begins(t, other, hub)
				phase := 0
				next := func() {
					share(a, b, phase)
					phase++
					pause(2 * time.Minute)
				}
				ctx := caller(t)
				if _, err := everything.Start(ctx, a.client, 0, durable.WithInstanceID("id")); err != nil {
					t.Fatal(err)
				}
				next()
				for _, p := range []*live{b, a} {
					if err := p.client.RaiseEvent(ctx, "id", "Go", "x"); err != nil {
						t.Fatal(err)
					}
					next()
				}
				all := slices.Concat(a.spans.GetSpans(), b.spans.GetSpans())
				if twice := doubled(all); twice != "" {
					t.Errorf("span %s was written twice", twice)
				}
				if got := tree(spansOf(all), line); got != string(want) {
					t.Errorf("want:\n%s\ngot:\n%s", want, got)
				}
				if name != "both take everything" && !isBelow(b.spans.GetSpans(), a.spans.GetSpans()) {
					t.Error("no span of the second process is below one of the first")
				}
			})
		})
	}
}

// isBelow reports whether a span is below one of the others.
func isBelow(below, above tracetest.SpanStubs) bool {
	return slices.ContainsFunc(below, func(s tracetest.SpanStub) bool {
		return slices.ContainsFunc(above, func(parent tracetest.SpanStub) bool { return parent.SpanContext.SpanID() == s.Parent.SpanID() })
	})
}
