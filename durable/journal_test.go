package durable

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/durable-go/functions/handler/supervise"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/journal"
	"github.com/durable-go/functions/internal/taskhub"
)

// A message of a process that died is worked on where its receipt is the newest,
// and left to its queue where it is not.
func TestTakeOver(t *testing.T) {
	echo := NewOrchestrator("Echo", func(_ *Context, in string) (string, error) { return in, nil })
	inHub(t, []Registration{echo}, func(h *hub) {
		s := &service{
			app:   &App{log: slog.New(slog.DiscardHandler), child: &supervise.Child{Journal: supervise.NewJournal()}},
			store: h.store, worker: h.worker, settings: settings{Lease: time.Minute},
		}
		for _, c := range []struct {
			id, receipt string
			want        history.Status
		}{{"known", "", history.Completed}, {"stale", "old", history.Pending}} {
			lease := sendStart(h, c.id)
			if c.receipt != "" {
				lease.PopReceipt = c.receipt
			}
			s.takeOverOne(h.t.Context(), custodyOf(lease, 1))
			h.settle()
			if row := h.row(c.id); row.Status != c.want {
				h.t.Errorf("%s: the instance is %v, want %v", c.id, row.Status, c.want)
			}
		}
	})
}

// away is a store whose queue does not answer until then.
type away struct {
	taskhub.Store
	until time.Time
}

func (a away) Renew(ctx context.Context, l *taskhub.Lease, hide time.Duration) error {
	if time.Now().Before(a.until) {
		return errors.New("connection refused")
	}
	return a.Store.Renew(ctx, l, hide)
}

// A message of a process that died waits for storage that does not answer, for as long
// as it is hidden.
func TestTakeOverWaitsForStorage(t *testing.T) {
	echo := NewOrchestrator("Echo", func(_ *Context, in string) (string, error) { return in, nil })
	inHub(t, []Registration{echo}, func(h *hub) {
		for id, c := range map[string]struct {
			away time.Duration
			want history.Status
		}{"back in time": {20 * time.Second, history.Completed}, "too late": {2 * time.Hour, history.Pending}} {
			s := &service{
				app:   &App{log: slog.New(slog.DiscardHandler), child: &supervise.Child{Journal: supervise.NewJournal()}},
				store: away{h.store, time.Now().Add(c.away)}, worker: h.worker, settings: settings{Lease: time.Minute},
			}
			lease, began := sendStart(h, id), time.Now()
			lease.Until = began.Add(time.Minute)
			s.takeOverOne(h.t.Context(), custodyOf(lease, 1))
			if took := time.Since(began); took > time.Minute {
				h.t.Errorf("%s: it took %v", id, took)
			}
			h.settle()
			if row := h.row(id); row.Status != c.want {
				h.t.Errorf("%s: the instance is %v, want %v", id, row.Status, c.want)
			}
		}
	})
}

// busyElsewhere is a journal of a process in which turns must not run until then.
type busyElsewhere struct {
	supervised
	until time.Time
}

func (b busyElsewhere) Begin(ctx context.Context, c journal.Code, deliveries int) (journal.Run, error) {
	if c.Kind == journal.TurnCode && time.Now().Before(b.until) {
		return nil, supervise.ErrElsewhere
	}
	return b.supervised.Begin(ctx, c, 0)
}

// What an orchestration is sent waits while another process tries its code, and
// is not lost.
func TestSuspectsWaitForTheirTrial(t *testing.T) {
	echo := NewOrchestrator("Echo", func(_ *Context, in string) (string, error) { return in, nil })
	inHub(t, []Registration{echo}, func(h *hub) {
		h.journal = busyElsewhere{supervised{supervise.NewJournal()}, time.Now().Add(10 * time.Minute)}
		h.restart(h.store)
		run, err := echo.Start(h.t.Context(), h.client(), "x")
		if err != nil {
			h.t.Fatal(err)
		}
		<-time.After(9 * time.Minute)
		if row := h.row(run.ID); row.Status != history.Pending {
			h.t.Errorf("after 9 minutes the instance is %v", row.Status)
		}
		got, err := run.Result(h.t.Context())
		want(h, got, err, "x")
	})
}

// sendStart leaves an instance as a client does whose process dies at once: its
// row is there, and its start message is hidden for an hour.
func sendStart(h *hub, id string) *taskhub.Lease {
	h.t.Helper()
	e := &history.Event{
		Type: history.ExecutionStarted, ID: history.NoID, Timestamp: time.Now(), Name: "Echo", Input: history.Payload(`"x"`),
		Instance: history.InstanceRef{InstanceID: id, ExecutionID: "x-" + id},
	}
	row := &taskhub.Instance{ID: id, ExecutionID: "x-" + id, Name: "Echo", Created: time.Now(), Updated: time.Now(), Status: history.Pending}
	if err := h.store.Insert(h.t.Context(), row); err != nil {
		h.t.Fatal(err)
	}
	lease, err := h.store.Send(h.t.Context(), taskhub.ControlQueue(hubName), &taskhub.Message{ID: taskhub.NewGUID(), Event: e, Target: e.Instance}, time.Hour)
	if err != nil {
		h.t.Fatal(err)
	}
	return lease
}
