package durable

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/durable/codec"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
	"github.com/durable-go/functions/internal/taskhub/sealed"
	"github.com/durable-go/functions/internal/worker"
)

// encryption is a codec with a key.
func encryption(t *testing.T) PayloadCodec {
	c, err := codec.AESGCM([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// secret is in everything that the user of TestNothingInClear stores.
const secret = "TopSecret-4711"

// secretApp uses every way in which a payload gets into storage.
func secretApp() (*Orchestrator[string, string], []Registration) {
	echo := NewActivity("Echo", func(_ context.Context, in string) (string, error) { return in, nil })
	fails := NewAction("Fails", func(_ context.Context, in string) error { return fmt.Errorf("cause: %w", errors.New(in)) })
	panics := NewAction("Panics", func(_ context.Context, in string) error { panic(in) })
	child := NewOrchestrator("Child", func(_ *Context, in string) (string, error) { return in, errors.New(in) })
	again := NewOrchestrator("Again", func(ctx *Context, in string) (string, error) {
		if strings.HasPrefix(in, "again") {
			return in, nil
		}
		return "", ctx.ContinueAsNew("again " + in)
	})
	main := NewOrchestrator("Main", func(ctx *Context, in string) (string, error) {
		ctx.SetCustomStatus(in)
		_, err := echo.Call(ctx, in).Await()
		_, failed := fails.Call(ctx, in).Await()
		_, panicked := panics.Call(ctx, in).Await()
		_, childFailed := child.Call(ctx, in).Await()
		next, againErr := again.Call(ctx, in).Await()
		event, eventErr := WaitForEvent[string](ctx, "more").Await()
		if err := errors.Join(err, againErr, eventErr, ctx.SendEvent("nobody", "x", in)); err != nil {
			return "", err
		}
		value := SideEffect(ctx, func() string { return in })
		if failed == nil || panicked == nil || childFailed == nil {
			return "", errors.New("no failure")
		}
		return strings.Join([]string{next, event, value}, "|"), nil
	})
	return main, []Registration{main, echo, fails, panics, child, again}
}

// TestNothingInClear runs an app on an account in memory and looks into every
// request for what must not be there.
func TestNothingInClear(t *testing.T) {
	main, functions := secretApp()
	for name, c := range map[string]struct {
		filler   int
		dispatch worker.Dispatch
	}{"local": {0, worker.Local}, "queue": {0, worker.Queue}, "large": {60 << 10, worker.Queue}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				account := &spy{Account: fake.New(0)}
				h := &hub{t: t, registry: newRegistry(), dispatch: c.dispatch, store: sealed.New(spied(t, account), encryption(t))}
				for _, f := range functions {
					if err := f.register(h.registry); err != nil {
						t.Fatal(err)
					}
				}
				h.open()
				defer func() { h.stop(); h.worker.Kill() }()
				in := secret + strings.Repeat("x", c.filler)
				orchestrator := main
				if c.filler > 0 {
					orchestrator = largeSecret(h)
				}
				got, err := result(h, orchestrator, in, func(id string) {
					h.raise(id, "more", `"event `+secret+`"`)
				})
				if err != nil || !strings.Contains(got, secret) {
					t.Errorf("got %.100q, %v", got, err)
				}
				if ctx := t.Context(); c.filler == 0 {
					run, err := main.Start(ctx, h.client(), in)
					if err != nil {
						t.Fatal(err)
					}
					h.send(run.ID, &history.Event{Type: history.ExecutionTerminated, ID: history.NoID, Input: history.Payload(secret), Timestamp: time.Now()})
					if _, err := run.Result(ctx); err == nil || !strings.Contains(err.Error(), secret) {
						t.Errorf("terminated: %v", err)
					}
				}
				account.check(t)
			})
		})
	}
}

// largeSecret is an orchestrator whose payloads go to blobs.
func largeSecret(h *hub) *Orchestrator[string, string] {
	large := NewOrchestrator("Large", func(ctx *Context, in string) (string, error) {
		event, err := WaitForEvent[string](ctx, "more").Await()
		if err != nil {
			return "", err
		}
		out, err := CallActivity[string](ctx, "Echo", in).Await()
		return out + event, err
	})
	if err := large.register(h.registry); err != nil {
		h.t.Fatal(err)
	}
	return large
}

func spied(t *testing.T, account *spy) taskhub.Store {
	connection, err := storage.Parse(account.ConnectionString())
	if err != nil {
		t.Fatal(err)
	}
	opened, err := storage.Open(connection, storage.Options{Transport: account})
	if err != nil {
		t.Fatal(err)
	}
	store, err := azure.Open(opened, hubName, azure.Options{StoreInputs: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Create(t.Context(), taskhub.Owner{}); err != nil {
		t.Fatal(err)
	}
	return store
}
