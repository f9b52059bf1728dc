package durable

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/worker"
)

var errDeclined = errors.New("declined by the bank")

type shortOf struct{ Item string }

func (s *shortOf) Error() string { return "short of " + s.Item }

func init() {
	RegisterErrorValue("test.errDeclined", errDeclined)
	RegisterError[*shortOf]()
}

// losing are orchestrations that fail, each in its way.
func losing() (*Orchestrator[string, string], []Registration) {
	charge := NewAction("Charge", func(_ context.Context, how string) error {
		switch how {
		case "struct":
			return fmt.Errorf("charging: %w", &shortOf{"tea"})
		case "plain":
			return errors.New("out of order")
		}
		return fmt.Errorf("charging: %w", errDeclined)
	})
	var o *Orchestrator[string, string]
	o = NewOrchestrator("Order", func(ctx *Context, how string) (string, error) {
		if child, ok := strings.CutPrefix(how, "child "); ok {
			out, err := o.Call(ctx, child, WithInstanceID("the-child")).Await()
			if err != nil {
				err = fmt.Errorf("child: %w", err)
			}
			return out, err
		}
		switch how {
		case "well":
			return "done", nil
		case "itself":
			return "", fmt.Errorf("itself: %w", errDeclined)
		case "panics":
			panic("oh")
		case "long":
			for range 30 {
				if err := ctx.Sleep(time.Second); err != nil {
					return "", err
				}
			}
		case "another":
			if _, err := charge.Call(ctx, "plain").Await(); err != nil {
				return "", fmt.Errorf("%w: %w", errDeclined, err)
			}
		}
		_, err := charge.Call(ctx, how, WithRetry(RetryPolicy{MaxAttempts: 2, FirstInterval: time.Second})).Await()
		return "", err
	})
	return o, []Registration{o, charge}
}

// Registered errors, the call that failed, types and stacks reach a client, also one
// that is no part of the app.
func TestErrorsAtTheClient(t *testing.T) {
	o, functions := losing()
	cases := []struct {
		how string
		// declined and short are the registered errors that are found.
		declined, short bool
		kind            string
		activity        string
		attempt         int
		instance        string
		stack           bool
	}{
		{how: "value", declined: true, kind: "test.errDeclined", activity: "Charge", attempt: 2, instance: "order-1"},
		{how: "struct", short: true, kind: "*durable.shortOf", activity: "Charge", attempt: 2, instance: "order-1"},
		{how: "plain", kind: "*durable.TaskError", activity: "Charge", attempt: 2, instance: "order-1"},
		{how: "itself", declined: true, kind: "test.errDeclined"},
		{how: "another", declined: true, kind: "test.errDeclined", activity: "Charge", attempt: 1, instance: "order-1"},
		{how: "panics", kind: "panic", stack: true},
		{how: "child value", declined: true, kind: "test.errDeclined", activity: "Charge", attempt: 2, instance: "the-child"},
		{how: "child struct", short: true, kind: "*durable.shortOf", activity: "Charge", attempt: 2, instance: "the-child"},
		{how: "child another", declined: true, kind: "test.errDeclined", activity: "Charge", attempt: 1, instance: "the-child"},
	}
	for _, c := range cases {
		t.Run(c.how, func(t *testing.T) {
			inHub(t, functions, func(h *hub) {
				if _, err := o.Start(h.t.Context(), h.client(), c.how, WithInstanceID("order-1")); err != nil {
					h.t.Fatal(err)
				}
				outside, err := newClientCore(h.store, ClientOptions{TaskHub: hubName})
				if err != nil {
					h.t.Fatal(err)
				}
				client := &Client{core: func() (*core, error) { return outside, nil }}
				_, err = (&Instance[string]{ID: "order-1", client: client}).Result(h.t.Context())
				var failed *OrchestrationError
				if !errors.As(err, &failed) || failed.Type != c.kind || (failed.Stack != "") != c.stack || failed.Status != "Failed" {
					h.t.Fatalf("got %#v", err)
				}
				var short *shortOf
				if errors.Is(err, errDeclined) != c.declined || errors.As(err, &short) != c.short || c.short && short.Item != "tea" {
					h.t.Errorf("found in %v: declined %v, short %+v", err, errors.Is(err, errDeclined), short)
				}
				if got := deepest(err); got.Activity != c.activity || got.Attempt != c.attempt || got.InstanceID != c.instance {
					h.t.Errorf("the call that failed is %+v", got)
				}
				status, err := client.Status(h.t.Context(), "order-1", WithFailure())
				if err != nil || status.Failure == nil || status.Failure.Type != c.kind || errors.Is(status.Failure, errDeclined) != c.declined {
					h.t.Errorf("the status has %#v, %v", status.Failure, err)
				}
				if status, err := client.Status(h.t.Context(), "order-1"); err != nil || status.Failure != nil {
					h.t.Errorf("without the option the status has %v, %v", status.Failure, err)
				}
			})
		})
	}
}

// deepest is the call from which an error came.
func deepest(err error) (found TaskError) {
	for task := (*TaskError)(nil); errors.As(err, &task); err = task.Cause {
		found = *task
	}
	return found
}

// A failure costs two requests more than a result, however long the history is.
func TestRequestsOfAFailure(t *testing.T) {
	o, functions := losing()
	synctest.Test(t, func(t *testing.T) {
		account := &spy{Account: fake.New(0)}
		h := &hub{t: t, registry: newRegistry(), dispatch: worker.Local, store: spied(t, account)}
		for _, f := range functions {
			if err := f.register(h.registry); err != nil {
				t.Fatal(err)
			}
		}
		h.open()
		defer func() { h.stop(); h.worker.Kill() }()
		for how, want := range map[string]int{"well": 1, "value": 3, "long": 3} {
			run, err := o.Start(t.Context(), h.client(), how)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := h.client().WaitForCompletion(t.Context(), run.ID); err != nil {
				t.Fatal(err)
			}
			<-time.After(time.Minute)
			account.Reset()
			_, err = run.Result(t.Context())
			requests := 0
			for _, count := range account.Counts() {
				if !strings.Contains(fmt.Sprint(count.Kind), "essages") { // of the pollers
					requests += count.Requests
				}
			}
			if requests != want || (err == nil) != (how == "well") {
				t.Errorf("%s: %d requests, want %d; %v: %+v", how, requests, want, err, account.Counts())
			}
		}
	})
}

// brokenHead is a store whose histories cannot be read.
type brokenHead struct {
	taskhub.Store
	err error
}

func (b brokenHead) Head(context.Context, string) (taskhub.Fence, error) {
	return taskhub.Fence{}, b.err
}

// Where the history says nothing, the text of the row remains; where storage does
// not answer, the error is not taken for one of the orchestration.
func TestFailureWithoutHistory(t *testing.T) {
	inHub(t, nil, func(h *hub) {
		now := time.Now()
		row := &taskhub.Instance{ID: "old", ExecutionID: "e", Name: "Order", Status: history.Failed, Output: history.Payload("it broke"), Created: now, Updated: now}
		if err := h.memory.Insert(h.t.Context(), row); err != nil {
			h.t.Fatal(err)
		}
		wait := func(store taskhub.Store) error {
			outside, err := newClientCore(store, ClientOptions{TaskHub: hubName})
			if err != nil {
				h.t.Fatal(err)
			}
			_, err = (&Instance[None]{ID: "old", client: &Client{core: func() (*core, error) { return outside, nil }}}).Result(h.t.Context())
			return err
		}
		for _, store := range []taskhub.Store{h.memory, brokenHead{h.memory, taskhub.ErrUnreadable}, brokenHead{h.memory, taskhub.ErrFormat}} {
			var failed *OrchestrationError
			if err := wait(store); !errors.As(err, &failed) || failed.Message != "it broke" || failed.Type != "" || failed.Cause != nil {
				h.t.Errorf("got %#v", err)
			}
		}
		broken := errors.New("connection reset")
		if err := wait(brokenHead{h.memory, broken}); errors.As(err, new(*OrchestrationError)) || !errors.Is(err, broken) {
			h.t.Errorf("got %#v", err)
		}
	})
}

// Who waits for a parked instance learns so at once, and may go on waiting; an
// instance that an operator has suspended is none.
func TestWaitWhileParked(t *testing.T) {
	long := NewActivity("Long", func(context.Context, string) (string, error) { return "done", nil })
	first := waits("Hello")
	inHub(t, []Registration{first, testHello, long}, func(h *hub) {
		run, err := first.Start(h.t.Context(), h.client(), None{})
		if err != nil {
			h.t.Fatal(err)
		}
		h.settle()
		if err := run.Suspend(h.t.Context(), "lunch"); err != nil {
			h.t.Fatal(err)
		}
		h.settle()
		if s, err := run.Status(h.t.Context()); err != nil || s.RuntimeStatus != "Suspended" || s.Parked != "" || string(s.Output) != `"lunch"` {
			h.t.Errorf("suspended: %+v, %v", s, err)
		}
		short, cancel := context.WithTimeout(h.t.Context(), time.Minute)
		defer cancel()
		if _, err := run.Result(short); !errors.Is(err, context.DeadlineExceeded) {
			h.t.Errorf("the wait for a suspended instance ends with %v", err)
		}
		if err := run.Resume(h.t.Context(), "back"); err != nil {
			h.t.Fatal(err)
		}
		h.settle()
		h.deploy(waits("Long"), testHello, long)
		waited := make(chan error, 1)
		go func() { // from before it is parked
			_, err := run.Result(h.t.Context())
			waited <- err
		}()
		h.raise(run.ID, "Go", "null")
		err = <-waited
		var parked *ParkedError
		if !errors.As(err, &parked) || !errors.Is(err, ErrParked) || parked.InstanceID != run.ID || !strings.Contains(parked.Reason, "activity 'Hello'") {
			h.t.Errorf("the wait ends with %v", err)
		}
		before := time.Now()
		s, err := h.client().WaitForCompletion(h.t.Context(), run.ID)
		if !errors.Is(err, ErrParked) || s.RuntimeStatus != "Suspended" || s.Parked != parked.Reason || time.Since(before) > time.Second {
			h.t.Errorf("after %v: %+v, %v", time.Since(before), s, err)
		}
		go func() {
			got, err := run.Result(h.t.Context(), WithWaitWhileParked())
			if got != "done" {
				err = errors.Join(errors.New(got), err)
			}
			waited <- err
		}()
		synctest.Wait() // it waits by the client of the process that is there
		h.deploy(first, testHello, long)
		if err := <-waited; err != nil {
			h.t.Error(err)
		}
		if s, err := run.Status(h.t.Context()); err != nil || s.Parked != "" {
			h.t.Errorf("at the end: %+v, %v", s, err)
		}
	})
}

// An orchestrator that does not return the error of ContinueAsNew fails, whatever is
// wrong with the call.
func TestContinueAsNewIsNotDropped(t *testing.T) {
	o := NewOrchestrator("O", func(ctx *Context, in int) (string, error) {
		var next any = in
		switch in {
		case 1:
			next = "one"
		case 2:
			next = nil
		}
		_ = ctx.ContinueAsNew(next)
		return "", nil
	})
	inHub(t, []Registration{o}, func(h *hub) {
		for in, text := range []string{"its error was not returned", "it is a string, and the orchestrator's input is a int", "it is nil"} {
			var failed *OrchestrationError
			if out, err := result(h, o, in, nil); !errors.As(err, &failed) || failed.Type != "InvalidCall" || !strings.Contains(failed.Message, text) {
				h.t.Errorf("%d: %q, %v, want %q", in, out, err, text)
			}
		}
	})
}

// An orchestrator that waits for a goroutine which has used its Context is parked
// with that as the reason.
func TestParkedForAForeignGoroutine(t *testing.T) {
	var release chan struct{}
	o := NewOrchestrator("Strays", func(ctx *Context, _ None) (string, error) {
		out, release := make(chan string), release
		go func() {
			greeting, _ := testHello.Call(ctx, "you").Await()
			out <- greeting
		}()
		select {
		case greeting := <-out:
			return greeting, nil
		case <-release:
			return "", errors.New("released")
		}
	})
	inHub(t, []Registration{o, testHello}, func(h *hub) {
		release = make(chan struct{})
		defer close(release)
		run, err := o.Start(h.t.Context(), h.client(), None{})
		if err != nil {
			h.t.Fatal(err)
		}
		_, err = run.Result(h.t.Context())
		for _, part := range []string{"the Context of an orchestrator was used on another goroutine", "use durable.Go", "orchestrator 'Strays'"} {
			if !errors.Is(err, ErrParked) || !strings.Contains(err.Error(), part) {
				h.t.Errorf("got %v, want %q", err, part)
			}
		}
	})
}
