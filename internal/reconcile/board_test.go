package reconcile

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/taskhub/memory"
)

// Slots of processes that are gone are given to others, those of processes that live are
// not, and notes of the dead do not count.
func TestSlotsAreUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := memory.New(memory.Options{})
		announce := func(name string, d time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			a := &Announcer{Store: hub, Process: name, Working: func() []string { return []string{"of " + name} }, Log: slog.New(slog.DiscardHandler)}
			a.Run(ctx)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		r := New(Options{
			Hub: hub, Process: "looker", Working: func() []string { return nil }, ControlOf: func(string) string { return "q" },
			Lease: 30 * time.Second, Log: slog.New(slog.DiscardHandler),
		})
		go func() {
			defer close(done)
			r.Run(ctx)
		}()
		go announce("lives", 3*time.Hour)
		<-time.After(time.Minute)
		for n := range 30 {
			announce(fmt.Sprint("p", n), 30*time.Second)
		}
		before, err := ReadNotes(t.Context(), hub)
		if err != nil || len(before.notes) != 31 {
			t.Errorf("%d processes have noted something: %v", len(before.notes), err)
		}
		<-time.After(time.Hour)
		after, err := ReadNotes(t.Context(), hub)
		if err != nil || len(after.notes) != 1 || !after.Working("of lives", before) || after.Working("of p3", before) {
			t.Errorf("%d processes are left: %v", len(after.notes), err)
		}
		cancel()
		<-done
		<-time.After(3 * time.Hour)
	})
}
