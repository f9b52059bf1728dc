package durable

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/handler"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/worker"
)

// triggerOnce calls f as the trigger of a queue message does.
func triggerOnce(h *hub, message string, f func(context.Context, string) error) error {
	app := &App{triggers: map[string]trigger{}}
	HandleTrigger(app, "OnOrder", func(ctx context.Context, id string, _ Trigger) error { return f(ctx, id) })
	body, err := json.Marshal(message)
	if err != nil {
		h.t.Fatal(err)
	}
	inv := &handler.Invocation{Function: &handler.Function{Name: "OnOrder"}, Body: body}
	return app.triggers["OnOrder"](h.t.Context(), inv)
}

// A message that is delivered again starts nothing again, whether the first start
// still runs, has finished, or has failed; elsewhere, and where WithReuse says so,
// a finished instance is replaced.
func TestTriggerThatRepeats(t *testing.T) {
	runs := 0
	order := NewOrchestrator("Order", func(ctx *Context, in string) (string, error) {
		if !ctx.IsReplaying() {
			runs++
		}
		if err := ctx.Sleep(time.Minute); err != nil {
			return "", err
		}
		if in == "bad" {
			return "", errors.New("declined")
		}
		return in, nil
	})
	cases := []struct {
		name, in string
		// start starts the order; wait has it finish in between.
		trigger bool
		wait    bool
		options []StartOption
		runs    int
		err     error
	}{
		{"while it runs", "tea", true, false, nil, 1, nil},
		{"when it has finished", "tea", true, true, nil, 1, nil},
		{"when it has failed", "bad", true, true, nil, 1, nil},
		{"with another policy", "tea", true, true, []StartOption{WithReuse(RejectIfRunning)}, 3, nil},
		{"to be refused", "tea", true, true, []StartOption{WithReuse(RejectIfExists)}, 1, ErrAlreadyExists},
		{"outside of a trigger", "tea", false, true, nil, 3, nil},
		{"outside of a trigger, while it runs", "tea", false, false, nil, 1, ErrAlreadyExists},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, []Registration{order}, func(h *hub) {
				runs = 0
				start := func(ctx context.Context, id string) error {
					_, err := order.Start(ctx, h.client(), c.in, append(c.options, WithInstanceID(id))...)
					return err
				}
				for i := range 3 {
					var err error
					if c.trigger {
						err = triggerOnce(h, "order-1", start)
					} else {
						err = start(h.t.Context(), "order-1")
					}
					if i == 0 && err != nil || i > 0 && !errors.Is(err, c.err) {
						h.t.Errorf("start %d: %v, want %v", i, err, c.err)
					}
					if c.wait {
						_, _ = h.client().WaitForCompletion(h.t.Context(), "order-1")
					}
				}
				if _, err := h.client().WaitForCompletion(h.t.Context(), "order-1"); err != nil || runs != c.runs {
					h.t.Errorf("%v; it ran %d times, want %d", err, runs, c.runs)
				}
			})
		})
	}
}

// That a finished id is started again is nothing to log as a warning or an error.
func TestStartOverIsNotLogged(t *testing.T) {
	o := NewOrchestrator("O", func(ctx *Context, in int) (string, error) { return testHello.Call(ctx, "you").Await() })
	quiet := func(h *hub) {
		var log bytes.Buffer
		h.change = func(o *worker.Options) {
			o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
		}
		h.restart(h.store)
		for range 3 {
			run, err := o.Start(h.t.Context(), h.client(), 1, WithInstanceID("order-1"))
			if err != nil {
				h.t.Fatal(err)
			}
			got, err := run.Result(h.t.Context())
			want(h, got, err, "Hello you")
		}
		<-time.After(time.Hour)
		synctest.Wait()
		if log.Len() > 0 {
			h.t.Errorf("the log says\n%s", log.String())
		}
	}
	inHub(t, []Registration{o, testHello}, quiet)
	t.Run("account", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := &hub{t: t, registry: newRegistry(), dispatch: worker.Local, store: spied(t, &spy{Account: fake.New(0)})}
			if err := errors.Join(o.register(h.registry), testHello.register(h.registry), h.store.Create(t.Context(), taskhub.Owner{})); err != nil {
				t.Fatal(err)
			}
			h.open()
			defer func() { h.stop(); h.worker.Kill() }()
			quiet(h)
		})
	})
}
