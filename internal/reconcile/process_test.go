package reconcile_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/reconcile"
	"github.com/durable-go/functions/internal/taskhub/memory"
)

// The processes that work are seen with what they tell of themselves; one that has nothing
// to do tells nothing, and costs nothing.
func TestProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := memory.New(memory.Options{})
		begun := time.Now()
		for name, working := range map[string][]string{"busy": {"a", "b"}, "idle": nil} {
			a := &reconcile.Announcer{
				Store: hub, Process: name, About: reconcile.About{Host: "host of " + name, Version: "2.0", TurnSlots: 20},
				Working: func() []string { return working }, Log: slog.New(slog.DiscardHandler),
			}
			go a.Run(t.Context())
		}
		<-time.After(time.Minute)
		found, err := reconcile.ReadProcesses(t.Context(), hub)
		if err != nil || len(found) != 1 {
			t.Fatalf("%+v %v", found, err)
		}
		p := found[0]
		if p.Name != "busy" || p.Host != "host of busy" || p.Version != "2.0" || p.TurnSlots != 20 || p.Instances != 2 || p.Seen.Sub(begun) < 50*time.Second {
			t.Errorf("%+v", p)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if none, err := reconcile.ReadProcesses(ended, memory.New(memory.Options{})); err == nil && len(none) > 0 {
			t.Errorf("%+v", none)
		}
	})
}
