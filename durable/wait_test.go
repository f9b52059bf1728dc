package durable

import (
	"errors"
	"testing"
	"time"
)

// An event that comes when nothing waits for it any more is for who waits next.
func TestWaitThatLostARaceTakesNoEvent(t *testing.T) {
	o := NewOrchestrator("O", func(ctx *Context, _ None) (string, error) {
		first := WaitForEvent[string](ctx, "go")
		if Select(first, ctx.NewTimer(time.Second)) == 0 {
			return "", nil
		}
		_ = ctx.Sleep(time.Minute) // works on something else; the event comes now
		return WaitForEvent[string](ctx, "go", WithTimeout(time.Hour)).Await()
	})
	inHub(t, []Registration{o}, func(h *hub) {
		got, err := result(h, o, None{}, func(id string) {
			<-time.After(10 * time.Second)
			h.raise(id, "go", `"hello"`)
		})
		want(h, got, err, "hello")
	})
}

// The same wait may be in one race after the other.
func TestWaitInSeveralRaces(t *testing.T) {
	o := NewOrchestrator("O", func(ctx *Context, _ None) (int, error) {
		approved := WaitForEvent[string](ctx, "approve")
		for reminders := 0; ; reminders++ {
			if Select(approved, ctx.NewTimer(time.Minute)) == 0 {
				_, err := approved.Await()
				return reminders, err
			}
			_ = ctx.Sleep(time.Minute)
		}
	})
	inHub(t, []Registration{o}, func(h *hub) {
		got, err := result(h, o, None{}, func(id string) {
			<-time.After(210 * time.Second) // while it sleeps for the second time
			h.raise(id, "approve", `"yes"`)
		})
		want(h, got, err, 2)
	})
}

// Cancel ends waits and timers, and nothing else.
func TestCancelEndsWaits(t *testing.T) {
	o := NewOrchestrator("O", func(ctx *Context, _ None) (string, error) {
		call := testHello.Call(ctx, "x")
		if call.Cancel() {
			return "", errors.New("a call was cancelled")
		}
		wait, timed := WaitForEvent[string](ctx, "go"), WaitForEvent[string](ctx, "go", WithTimeout(time.Hour))
		if !wait.Cancel() || !timed.Cancel() || wait.Cancel() {
			return "", errors.New("Cancel does not say what it does")
		}
		_, err := wait.Await()
		_, timedErr := timed.Await()
		if !errors.Is(err, ErrCanceled) || !errors.Is(timedErr, ErrCanceled) {
			return "", errors.Join(errors.New("a cancelled wait has another error"), err, timedErr)
		}
		if _, err := call.Await(); err != nil {
			return "", err
		}
		return WaitForEvent[string](ctx, "go").Await()
	})
	inHub(t, []Registration{o, testHello}, func(h *hub) {
		got, err := result(h, o, None{}, func(id string) { h.raise(id, "go", `"hello"`) })
		want(h, got, err, "hello")
	})
}
