package taskhubtest

import (
	"errors"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

// ControlQueue is the queue that the cases use; it must exist in the store.
const ControlQueue = "conformance-queue"

func receive(t *testing.T, h Harness, hide time.Duration) []taskhub.Delivery {
	t.Helper()
	return value(h.Store.Receive(t.Context(), ControlQueue, 32, hide))(t)
}

func sendAndReceive(t *testing.T, h Harness) {
	ids := []string{"plain", "Zürich 日本", `o'neil "q" <&>`}
	for _, id := range ids {
		value(h.Store.Send(t.Context(), ControlQueue, raised(id, `{"x":"ü\n<"}`), 0))(t)
	}
	got := map[string]taskhub.Delivery{}
	for _, d := range receive(t, h, time.Minute) {
		must(t, d.Err)
		got[d.Message.Target.InstanceID] = d
	}
	for _, id := range ids {
		d, ok := got[id]
		if !ok {
			t.Fatalf("%q did not come", id)
		}
		if string(d.Message.Event.Input) != `{"x":"ü\n<"}` || d.Message.ID != taskhub.GUID(id) || d.Dequeued != 1 || !d.Message.Event.Timestamp.Equal(moment) {
			t.Errorf("%q came as %+v %+v", id, d, d.Message.Event)
		}
		must(t, h.Store.Remove(t.Context(), d.Lease))
		must(t, h.Store.Remove(t.Context(), d.Lease))
	}
	if left := receive(t, h, time.Minute); len(left) != 0 {
		t.Errorf("%d messages after removal", len(left))
	}
}

func leases(t *testing.T, h Harness) {
	lease := value(h.Store.Send(t.Context(), ControlQueue, raised("a", "1"), 30*time.Second))(t)
	if got := receive(t, h, time.Minute); len(got) != 0 {
		t.Fatal("a hidden message was received")
	}
	body := lease.Body
	must(t, h.Store.Renew(t.Context(), lease, 30*time.Second))
	must(t, h.Store.Renew(t.Context(), lease, 0))
	got := receive(t, h, 30*time.Second)
	if len(got) != 1 || got[0].Err != nil || got[0].Lease.Body != body {
		t.Fatalf("after giving back: %+v", got)
	}
	must(t, h.Store.Renew(t.Context(), got[0].Lease, time.Second))
	h.Wait(1500 * time.Millisecond)
	again := receive(t, h, 30*time.Second)
	if len(again) != 1 || again[0].Dequeued != 2 || string(again[0].Message.Event.Input) != "1" {
		t.Fatalf("after the lease: %+v", again)
	}
}

func lostLease(t *testing.T, h Harness) {
	old := value(h.Store.Send(t.Context(), ControlQueue, raised("a", "1"), 0))(t)
	got := receive(t, h, 30*time.Second)
	if len(got) != 1 {
		t.Fatalf("%d messages", len(got))
	}
	if err := h.Store.Renew(t.Context(), old, time.Minute); !errors.Is(err, taskhub.ErrLeaseLost) {
		t.Errorf("renewing what somebody else holds: %v", err)
	}
	must(t, h.Store.Remove(t.Context(), old))
	must(t, h.Store.Renew(t.Context(), got[0].Lease, time.Minute))
	must(t, h.Store.Remove(t.Context(), got[0].Lease))
	if err := h.Store.Renew(t.Context(), got[0].Lease, time.Minute); !errors.Is(err, taskhub.ErrLeaseLost) {
		t.Errorf("renewing what is gone: %v", err)
	}
}

// delayed sends with a fraction of a second: it must not come early.
func delayed(t *testing.T, h Harness) {
	value(h.Store.Send(t.Context(), ControlQueue, raised("a", "1"), 1200*time.Millisecond))(t)
	h.Wait(1100 * time.Millisecond)
	if got := receive(t, h, time.Minute); len(got) != 0 {
		t.Fatal("the message came early")
	}
	h.Wait(1500 * time.Millisecond)
	if got := receive(t, h, time.Minute); len(got) != 1 {
		t.Fatalf("%d messages", len(got))
	}
}

// absent sends an event without data.
func absent(t *testing.T, h Harness) {
	m := raised("a", "")
	m.Event.Input = nil
	value(h.Store.Send(t.Context(), ControlQueue, m, 0))(t)
	if got := receive(t, h, time.Minute); len(got) != 1 || got[0].Message.Event.Input != nil {
		t.Errorf("an absent input came as %+v", got)
	}
}
