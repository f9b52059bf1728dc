package client

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// A caller that was told that a start failed, and not whether it was stored, repeats it
// and finds its own; one who asks for something else does not.
func TestStartIsRepeatedByItsCaller(t *testing.T) {
	for name, c := range map[string]struct {
		op, when string
		second   Start
		want     error
	}{
		"the row's answer was lost":     {"Insert", "after", Start{Name: "O", InstanceID: "i", Input: history.Payload(`1`)}, nil},
		"the row could not be sent":     {"Insert", "before", Start{Name: "O", InstanceID: "i", Input: history.Payload(`1`)}, nil},
		"the message's answer was lost": {"Send", "after", Start{Name: "o", InstanceID: "i", Input: history.Payload(`1`)}, nil},
		"with another input":            {"Insert", "after", Start{Name: "O", InstanceID: "i", Input: history.Payload(`2`)}, ErrRunning},
		"of another orchestrator":       {"Insert", "after", Start{Name: "P", InstanceID: "i", Input: history.Payload(`1`)}, ErrRunning},
		"of another version":            {"Insert", "after", Start{Name: "O", Version: "2", InstanceID: "i", Input: history.Payload(`1`)}, ErrRunning},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHub(t)
				client := New(h, Options{Queue: queue, Lease: lease, Local: &local{}})
				if c.when == "before" {
					h.before[c.op] = errLost
				} else {
					h.after[c.op] = errLost
				}
				if _, err := client.Start(t.Context(), Start{Name: "O", InstanceID: "i", Input: history.Payload(`1`)}); !errors.Is(err, errLost) {
					t.Fatalf("first start: %v", err)
				}
				h.heal()
				started, err := client.Start(t.Context(), c.second)
				if !errors.Is(err, c.want) || c.want == nil && err != nil {
					t.Fatalf("second start: %v, want %v", err, c.want)
				}
				if c.want != nil {
					return
				}
				pass(lease)
				for _, m := range visible(t, h) {
					if m.ID != taskhub.GUID("start", "i", started.ExecutionID) {
						t.Errorf("message %+v", m)
					}
				}
				if _, err := client.Start(t.Context(), c.second); !errors.Is(err, ErrRunning) {
					t.Errorf("a third start, of an instance that is there: %v", err)
				}
			})
		})
	}
}
