package durable

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
)

var (
	errNoCover   = errors.New("the account is not covered")
	errNoOrder   = errors.New("the order was not taken")
	errNeverMade = errors.New("nothing returns this")
)

// refused is an error that wraps another one, which JSON does not keep.
type refused struct {
	Code  int
	cause error
}

func (r *refused) Error() string { return fmt.Sprintf("refused with %d: %v", r.Code, r.cause) }
func (r *refused) Unwrap() error { return r.cause }

func init() {
	RegisterErrorValue("test.errNoCover", errNoCover)
	RegisterErrorValue("test.errNoOrder", errNoOrder)
	RegisterErrorValue("test.errNeverMade", errNeverMade)
	RegisterError[*refused]()
}

// nested fails at the bottom of so many children, each of which adds to the error.
func nested() (*Orchestrator[int, string], []Registration) {
	charge := NewAction("Charge", func(context.Context, None) error {
		root := fmt.Errorf("asking the bank: %w", errNoCover)
		return fmt.Errorf("charging: %w", &refused{Code: 7, cause: root})
	})
	var o *Orchestrator[int, string]
	o = NewOrchestrator("Order", func(ctx *Context, depth int) (string, error) {
		var err error
		if depth > 0 {
			_, err = o.Call(ctx, depth-1).Await()
		} else {
			err = charge.Do(ctx, None{})
		}
		// Each level has what is below it, and adds its own.
		if missing := missingIn(err, depth > 0); missing != "" {
			err = fmt.Errorf("the orchestrator misses %s: %w", missing, err)
		}
		if depth == 2 {
			return "", fmt.Errorf("%w: %w", &refused{Code: 70 + depth}, err)
		}
		return "", fmt.Errorf("%w: %w", errNoOrder, err)
	})
	return o, []Registration{o, charge}
}

// missingIn names what errors.Is and errors.As do not find in an error from below.
func missingIn(err error, order bool) string {
	var r *refused
	switch {
	case !errors.As(err, &r):
		return "refused"
	case !errors.Is(err, errNoCover):
		return "errNoCover"
	case errors.Is(err, errNoOrder) != order:
		return "errNoOrder"
	case errors.Is(err, errNeverMade):
		return "nothing, but has errNeverMade"
	}
	return ""
}

// codes are the codes of all refused errors of a tree.
func codes(err error) (out []int) {
	switch e := err.(type) {
	case *refused:
		out = append(out, e.Code)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			out = append(out, codes(inner)...)
		}
		return out
	}
	if inner := errors.Unwrap(err); inner != nil {
		out = append(out, codes(inner)...)
	}
	return out
}

// Whatever is registered is found in the error of a client of another process, at the
// root of the chain and on the way to it, however many children are in between.
func TestErrorsDeepInTheChain(t *testing.T) {
	o, functions := nested()
	for depth, want := range [][]int{{7}, {7}, {72, 7}, {72, 7}} {
		t.Run(fmt.Sprint(depth), func(t *testing.T) {
			inHub(t, functions, func(h *hub) {
				if _, err := o.Start(h.t.Context(), h.client(), depth, WithInstanceID("order")); err != nil {
					h.t.Fatal(err)
				}
				outside, err := newClientCore(h.store, ClientOptions{TaskHub: hubName})
				if err != nil {
					h.t.Fatal(err)
				}
				_, err = (&Instance[string]{ID: "order", client: &Client{core: func() (*core, error) { return outside, nil }}}).Result(h.t.Context())
				var failed *OrchestrationError
				if !errors.As(err, &failed) {
					h.t.Fatalf("got %v", err)
				}
				if missing := missingIn(err, true); missing != "" {
					h.t.Errorf("the client misses %s in %v", missing, err)
				}
				if got := slices.Compact(codes(err)); !slices.Equal(got, want) {
					h.t.Errorf("the codes are %v, want %v: %v", got, want, err)
				}
				var calls []string
				for task := (*TaskError)(nil); errors.As(err, &task); err = task.Cause {
					calls = append(calls, task.Activity+task.Orchestrator)
				}
				if len(calls) != depth+1 || calls[depth] != "Charge" {
					h.t.Errorf("the calls that failed are %v", calls)
				}
			})
		})
	}
}
