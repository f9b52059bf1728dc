package durable

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/durable-go/functions/internal/engine"
)

const (
	// recycleAfter is how long code that was given up may compute before its process
	// is replaced, looked at every recycleAfter.
	recycleAfter = 5 * time.Second
	// recycleApart is how long a process lives at least before it is replaced: what
	// replaces it may fare no better.
	recycleApart = time.Minute
	// recycleWithin bounds how long requests wait for the next process.
	recycleWithin = 3 * time.Second
)

// errRecycled is why Run returns when the supervisor is to start another process.
// It is an errStopped: nothing is wrong with the app.
var errRecycled = fmt.Errorf("an orchestrator that does not come back burns a processor; the process is replaced: %w", errStopped)

// burning finds code that was given up and computes still, at a second look. Go
// cannot stop it; the end of its process does.
type burning struct{ seen map[*engine.BlockedError]bool }

// look returns what the looks before have seen too.
func (b *burning) look(blocked []*engine.BlockedError) *engine.BlockedError {
	seen := map[*engine.BlockedError]bool{}
	var found *engine.BlockedError
	for _, e := range blocked {
		if !e.Running {
			continue
		}
		seen[e] = true
		if b.seen[e] {
			found = e
		}
	}
	b.seen = seen
	return found
}

// recycle calls end when this process is to be replaced, because code that was
// given up burns a processor. It returns when ctx ends. Without a supervisor there
// is no other process.
func (s *service) recycle(ctx context.Context, end func()) {
	ticker := time.NewTicker(recycleAfter)
	defer ticker.Stop()
	looks, since := burning{}, time.Now()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		blocked := looks.look(s.worker.Blocked())
		if blocked == nil || time.Since(since) < recycleApart {
			continue
		}
		s.app.log.Warn("the process is replaced to end code that does not come back", "orchestrator", blocked.Orchestrator, "instance", blocked.InstanceID, "where", blocked.Where)
		s.app.child.Journal.Leave("code of orchestrator " + blocked.Orchestrator + " does not come back and burns a processor")
		// The app's main may do something after Run, but not for long.
		time.AfterFunc(stopWithin+recycleWithin, func() { os.Exit(1) })
		s.recycled.Store(true)
		end()
		return
	}
}
