package client

import (
	"context"
	"errors"
	"testing"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// halfPurged is a hub in which the purge of "i" was cut off.
type halfPurged struct {
	*faulty
	purged int
}

func (h *halfPurged) Instance(ctx context.Context, id string) (*taskhub.Instance, error) {
	row, err := h.faulty.Instance(ctx, id)
	if err == nil && h.purged == 0 {
		row.Purging = true
	}
	return row, err
}

func (h *halfPurged) Purge(ctx context.Context, id, etag string) (int, error) {
	h.purged++
	return h.Hub.Purge(ctx, id, etag)
}

// What is being purged is in nobody's way: its purge is ended, and the start
// begins from nothing, whatever its reuse policy says.
func TestStartOverWhatIsBeingPurged(t *testing.T) {
	for _, reuse := range []Reuse{RejectIfRunning, RejectIfExists, ReturnExisting, TerminateAndReplace} {
		h := &halfPurged{faulty: newHub(t)}
		put(t, h, "i", "x", history.Completed)
		w := &local{}
		got, err := New(h, Options{Queue: queue, Lease: lease, Local: w}).Start(t.Context(), Start{Name: "O", InstanceID: "i", ExecutionID: "mine", Reuse: reuse})
		if err != nil || got.ExecutionID != "mine" || *got.Generation != 0 || h.purged != 1 {
			t.Errorf("%v: %+v %v after %d purges", reuse, got, err, h.purged)
		}
		if len(w.started) != 1 || h.Pending(queue) != 1 {
			t.Errorf("%v: %d starts handed over, %d messages", reuse, len(w.started), h.Pending(queue))
		}
	}
}

func TestStartOverWhatCannotBePurged(t *testing.T) {
	h := &unpurgeable{halfPurged{faulty: newHub(t)}}
	put(t, h, "i", "x", history.Completed)
	_, err := New(h, Options{Queue: queue, Lease: lease}).Start(t.Context(), Start{Name: "O", InstanceID: "i"})
	if !errors.Is(err, errLost) || h.Pending(queue) != 0 {
		t.Errorf("%v, %d messages", err, h.Pending(queue))
	}
}

type unpurgeable struct{ halfPurged }

func (h *unpurgeable) Purge(context.Context, string, string) (int, error) { return 0, errLost }
