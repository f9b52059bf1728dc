package durable

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/memory"
)

// testLimit is the largest payload of these tests: with the quotes, a text of
// 198 characters.
const testLimit = 200

func limitedFunctions() []Registration {
	repeat := NewActivity("Make", func(_ context.Context, n int) (string, error) { return strings.Repeat("x", n), nil })
	length := NewActivity("Length", func(_ context.Context, s string) (int, error) { return len(s), nil })
	child := NewOrchestrator("Child", func(_ *Context, s string) (int, error) { return len(s), nil })
	run := func(name string, f func(ctx *Context, text string) error) Registration {
		return NewOrchestrator(name, func(ctx *Context, n int) (string, error) { return "", f(ctx, strings.Repeat("x", n)) })
	}
	return []Registration{repeat, length, child,
		run("ActivityResult", func(ctx *Context, text string) error {
			_, err := repeat.Call(ctx, len(text)).Await()
			return err
		}),
		run("ActivityInput", func(ctx *Context, text string) error {
			_, err := length.Call(ctx, text).Await()
			return err
		}),
		run("ChildInput", func(ctx *Context, text string) error {
			_, err := child.Call(ctx, text).Await()
			return err
		}),
		run("SendEvent", func(ctx *Context, text string) error { return ctx.SendEvent("other", "e", text) }),
		run("SideEffect", func(ctx *Context, text string) error {
			SideEffect(ctx, func() string { return text })
			return nil
		}),
		NewOrchestrator("Result", func(_ *Context, n int) (string, error) { return strings.Repeat("x", n), nil }),
		NewOrchestrator("Next", func(ctx *Context, in string) (string, error) {
			if len(in) > 3 {
				return "", nil
			}
			return "", ctx.ContinueAsNew(in + strings.Repeat("x", 198-len(in)+len(in)/3))
		}),
	}
}

// limit begins another process with another largest payload.
func (h *hub) limit(n int) {
	h.stop()
	h.worker.Kill()
	h.registry.maxPayload = n
	h.open()
}

// TestPayloadLimit: what is as large as may be works, one byte more fails with
// a text that says so, whatever it is.
func TestPayloadLimit(t *testing.T) {
	inHub(t, limitedFunctions(), func(h *hub) {
		h.limit(testLimit)
		for _, name := range []string{"ActivityResult", "ActivityInput", "ChildInput", "SendEvent", "SideEffect", "Result"} {
			o := DeclareOrchestrator[int, string](name)
			if _, err := result(h, o, testLimit-2, nil); err != nil {
				h.t.Errorf("%s, as large as may be: %v", name, err)
			}
			_, err := result(h, o, testLimit-1, nil)
			if err == nil || !strings.Contains(err.Error(), "201 bytes, at most 200 are stored") {
				h.t.Errorf("%s, one byte more: %v", name, err)
			}
		}
		next := DeclareOrchestrator[string, string]("Next")
		if _, err := result(h, next, "", nil); err != nil {
			h.t.Errorf("continue-as-new, as large as may be: %v", err)
		}
		if _, err := result(h, next, "xxx", nil); err == nil || !strings.Contains(err.Error(), "continue as new is too large: 201 bytes") {
			h.t.Errorf("continue-as-new, one byte more: %v", err)
		}
	})
}

// TestClientRefusesWhatIsTooLarge and stores nothing.
func TestClientRefusesWhatIsTooLarge(t *testing.T) {
	inHub(t, limitedFunctions(), func(h *hub) {
		h.limit(testLimit)
		ctx := h.t.Context()
		if _, err := h.client().StartNew(ctx, "Child", strings.Repeat("x", 199)); !errors.Is(err, ErrTooLarge) {
			h.t.Errorf("start: %v", err)
		}
		if err := h.core.client.Raise(ctx, "a", "e", make(history.Payload, testLimit+1)); !errors.Is(err, ErrTooLarge) {
			h.t.Errorf("event: %v", err)
		}
		if n := h.memory.Pending(taskhub.ControlQueue(hubName)); n != 0 {
			h.t.Errorf("%d messages", n)
		}
	})
}

// TestLargePayloadsRun: an app whose every payload is large.
func TestLargePayloadsRun(t *testing.T) {
	echo := NewActivity("Echo", func(_ context.Context, s string) (string, error) { return s, nil })
	o := NewOrchestrator("O", func(ctx *Context, in string) (string, error) {
		tasks := make([]*Task[string], 5)
		for i := range tasks {
			tasks[i] = echo.Call(ctx, in)
		}
		all, err := All(tasks...)
		if err != nil {
			return "", err
		}
		event, err := WaitForEvent[string](ctx, "more").Await()
		if err != nil || event != in {
			return "", errors.Join(err, errors.New("the event is another one"))
		}
		return all[4], nil
	})
	inHub(t, []Registration{echo, o}, func(h *hub) {
		in := strings.Repeat("0123456789", 30_000)
		got, err := result(h, o, in, func(id string) { h.raise(id, "more", `"`+in+`"`) })
		if err != nil || got != in {
			h.t.Errorf("%d bytes, %v", len(got), err)
		}
	})
}

// TestLongErrors are kept with the beginning of their text.
func TestLongErrors(t *testing.T) {
	fails := NewAction("Fails", func(_ context.Context, panics bool) error {
		text := "oh " + strings.Repeat("ü", 20<<20)
		if panics {
			panic(text)
		}
		return errors.New(text)
	})
	o := NewOrchestrator("O", func(ctx *Context, panics bool) (None, error) { return fails.Call(ctx, panics).Await() })
	inHub(t, []Registration{fails, o}, func(h *hub) {
		for _, panics := range []bool{false, true} {
			_, err := result(h, o, panics, nil)
			if err == nil || !strings.Contains(err.Error(), "oh üü") || !strings.HasSuffix(err.Error(), " bytes)") || len(err.Error()) > maxErrorText+200 {
				h.t.Errorf("an error of %d bytes: %.100s", len(fmt.Sprint(err)), fmt.Sprint(err))
			}
		}
	})
}

// TestReadInputLimit: a handler of the app knows the app's limit.
func TestReadInputLimit(t *testing.T) {
	for _, c := range []struct{ limit, size, code int }{
		{taskhub.MaxPayload, taskhub.MaxPayload, 200}, {taskhub.MaxPayload, taskhub.MaxPayload + 1, 413}, {20_000, 20_000, 200}, {20_000, 20_001, 413},
	} {
		s := &service{settings: settings{MaxPayload: c.limit}}
		handler := s.limited(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := ReadInput(w, r); err != nil {
				WriteStartError(w, err)
			}
		}))
		w := httptest.NewRecorder()
		body := `"` + strings.Repeat("x", c.size-2) + `"`
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body)))
		if answer, _ := io.ReadAll(w.Result().Body); w.Code != c.code || c.code == 413 && !strings.Contains(string(answer), "maxPayload") {
			t.Errorf("%d of %d bytes: %d %s", c.size, c.limit, w.Code, answer)
		}
	}
}

// TestMessageThatCannotBeRead comes again until it can, and goes when it never
// will.
func TestMessageThatCannotBeRead(t *testing.T) {
	for _, c := range []struct {
		err  error
		left int
	}{{taskhub.ErrUnread, 1}, {taskhub.ErrPayloadGone, 0}, {errors.New("no message"), 1}} {
		synctest.Test(t, func(t *testing.T) {
			inner := memory.New(memory.Options{})
			h := &hub{t: t, memory: inner, store: inner, registry: newRegistry()}
			h.open()
			defer func() { h.stop(); h.worker.Kill() }()
			h.stop()
			lease := inner.Put("q", "body", 0)
			d := taskhub.Delivery{Lease: lease, Dequeued: 1, Err: c.err}
			if err := h.worker.Deliver(t.Context(), d, true); err != nil {
				t.Fatal(err)
			}
			if n := inner.Pending("q"); n != c.left {
				t.Errorf("%v: %d messages left, want %d", c.err, n, c.left)
			}
			if got, err := inner.Receive(t.Context(), "q", 1, 0); err != nil || len(got) != 0 {
				t.Errorf("%v: the message came again at once: %+v %v", c.err, got, err)
			}
		})
	}
}

// TestBlobOfAHostedMessage goes with it, although the host deletes the message
// itself and knows nothing of the blob.
func TestBlobOfAHostedMessage(t *testing.T) {
	o := NewOrchestrator("O", func(ctx *Context, _ None) (int, error) {
		event, err := WaitForEvent[string](ctx, "more").Await()
		return len(event), err
	})
	synctest.Test(t, func(t *testing.T) {
		account := &spy{Account: fake.New(0)}
		store := spied(t, account)
		h := &hub{t: t, registry: newRegistry(), store: store}
		if err := o.register(h.registry); err != nil {
			t.Fatal(err)
		}
		h.open()
		defer func() { h.worker.Kill() }()
		got, err := result(h, o, None{}, func(id string) {
			h.stop() // from here on messages come from the host alone
			synctest.Wait()
			h.raise(id, "more", `"`+strings.Repeat("x", 100_000)+`"`)
			batch, err := store.Receive(t.Context(), taskhub.ControlQueue(hubName), 32, hostHolds)
			if err != nil || len(batch) != 1 || messageBlobs(account) != 1 {
				t.Fatalf("%d messages, %d blobs, %v", len(batch), messageBlobs(account), err)
			}
			if err := h.worker.Deliver(t.Context(), batch[0], true); err != nil {
				t.Error(err)
			}
		})
		want(h, got, err, 100_000)
		synctest.Wait()
		if n := messageBlobs(account); n != 0 {
			t.Errorf("%d blobs of messages are left", n)
		}
	})
}

func messageBlobs(account *spy) (n int) {
	for name := range account.Blobs(strings.ToLower(hubName) + "-largemessages") {
		if strings.Contains(name, "/message-") {
			n++
		}
	}
	return n
}
