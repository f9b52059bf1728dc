package entity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// load reads the state unless it is in memory.
func (en *Entity) load(ctx context.Context) error {
	if en.c != nil {
		en.counted(observe.CacheLookups, "hit")
		return nil
	}
	en.counted(observe.CacheLookups, "miss")
	var h *taskhub.History
	err := en.Exec.Do(ctx, func(ctx context.Context) (err error) {
		h, err = en.Store.Load(ctx, en.ID, 0)
		return err
	})
	if err != nil {
		return err
	}
	c, err := stored(h)
	if err != nil {
		return fmt.Errorf("entity %s: %w: %w", en.ID, taskhub.ErrUnreadable, err)
	}
	en.c = c
	return nil
}

// stored reads a history of an entity.
func stored(h *taskhub.History) (*committed, error) {
	c := &committed{fence: h.Fence}
	start := started(h.Events)
	if start == nil {
		if len(h.Events) > 0 {
			return nil, errors.New("the history of the entity has no ExecutionStarted event")
		}
		return c, nil
	}
	state, err := history.DecodeEntityState(start.Input)
	if err != nil {
		return nil, err
	}
	c.state, c.changed, c.unsent = state.State, start.Timestamp, true
	if start.Own.Options != nil {
		if err := json.Unmarshal(start.Own.Options, &c.saved); err != nil {
			return nil, fmt.Errorf("decoding what stands beside the state: %w", err)
		}
	}
	return c, nil
}

func started(events []*history.Event) *history.Event {
	for _, e := range events {
		if e.Type == history.ExecutionStarted {
			return e
		}
	}
	return nil
}

// Snapshot is the state of an entity as it was committed last.
type Snapshot struct {
	// State is nil where the entity does not exist.
	State    history.Payload
	LockedBy string
	// Lock is nil where the entity is not locked.
	Lock *Lock
	// Recent are the last operations, the oldest first.
	Recent []Done
	// Changed is when it was committed.
	Changed time.Time
	// Fence is that of the commit.
	Fence taskhub.Fence
}

// Lock is what is known of a lock that is held.
type Lock struct {
	// Section is the critical section, Owner and Execution whose it is.
	Section, Owner, Execution string
	Since                     time.Time
}

// IsOrphan reports whether the owner of a lock, whose sentinel is given, does not run any
// more.
func (l *Lock) IsOrphan(owner taskhub.Fence) bool {
	return owner.ETag == "" || owner.ExecutionID != l.Execution || owner.State.Ended
}

// Read makes a snapshot of the history of an entity.
func Read(h *taskhub.History) (Snapshot, error) {
	c, err := stored(h)
	if err != nil {
		return Snapshot{}, err
	}
	s := Snapshot{State: c.state, Fence: c.fence, Recent: c.saved.Recent, Changed: c.changed}
	if held := c.saved.Lock; held != nil {
		s.LockedBy, s.Lock = held.Owner, held.shown()
	}
	return s, nil
}
