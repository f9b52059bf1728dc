package hubcheck

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-go/functions/internal/entity"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
)

// lookEntity checks what is kept of an entity. It has no end, and neither a history nor a
// row before its first operation.
func (c *checker) lookEntity(ctx context.Context, s *stored) []Finding {
	v := &view{stored: s, named: map[string]bool{}}
	h, err := c.hub.Load(ctx, s.id, 0)
	var state entity.Snapshot
	if err == nil {
		state, err = entity.Read(h)
	}
	switch {
	case errors.Is(err, taskhub.ErrFormat):
		v.add(Finding{Severity: Note, Kind: "history-foreign", Place: "sentinel", What: "another engine, or a newer version of this module, wrote the entity; it is left alone: " + err.Error()})
		return v.found
	case err != nil && ctx.Err() == nil:
		v.add(Finding{Severity: Damage, Kind: "entity-unreadable", Place: "History", What: "the state cannot be read, so that no operation runs: " + err.Error()})
		return v.found
	}
	v.entityRow()
	v.compareEntity(&state)
	v.entityInbox(&state)
	if f, wrong := c.orphan(ctx, v, state.Lock); wrong {
		v.add(f)
	}
	return v.found
}

// entityRow reads the row of an entity. One that cannot be read is made again by who looks
// at the entity.
func (v *view) entityRow() {
	for _, r := range v.rows {
		row, _, err := v.decode(r.JSON)
		switch {
		case r.Row != "":
			v.add(Finding{Severity: Debris, Kind: "row-foreign", Place: "Instances row " + r.Row, What: "the Instances table has a row with a RowKey, which no entity has"}.with(deleteRow{r}))
		case err != nil:
			f := Finding{Severity: Damage, Kind: "row-undecodable", Place: "Instances row", What: "the row cannot be read: " + err.Error()}
			v.add(f.with(all{deleteRow{r}, v.look()}))
		default:
			v.row = row
		}
	}
}

// compareEntity holds the row against the last commit. A row that is behind may mean that
// what the commit has left to send was not sent.
func (v *view) compareEntity(state *entity.Snapshot) {
	if v.sentinel == nil || v.working || !v.isOld(*v.sentinel) || len(v.rows) > 0 && v.row == nil {
		return
	}
	if v.row == nil || v.row.ExecutionID != state.Fence.ExecutionID {
		v.add(Finding{Severity: Waiting, Kind: "entity-not-shown", Place: "Instances row", What: "the row does not show the last operation, whose answers and signals may not be sent"}.with(v.look()))
	}
}

// entityInbox looks at what the entity is asked for. What waits for a lock waits rightly.
func (v *view) entityInbox(state *entity.Snapshot) {
	waiting, old := 0, 0
	for _, r := range v.told {
		if v.checkTold(r) {
			waiting++
		}
	}
	for _, r := range v.receipts {
		if v.now.Sub(r.Stored) > receiptsLast {
			old++
		}
	}
	if old > 0 {
		v.add(Finding{Severity: Debris, Kind: "receipts-old", Place: "inbox", What: fmt.Sprintf("%d receipts are older than %v", old, receiptsLast)}.with(forget{v.id, v.now.Add(-receiptsLast)}))
	}
	if waiting > 0 && state.Lock == nil && !v.working {
		v.add(Finding{Severity: Waiting, Kind: "inbox-waits", Place: "inbox", What: fmt.Sprintf("%d requests wait, and no process looks", waiting)}.with(v.look()))
	}
}

// orphan looks at the owner of a lock.
func (c *checker) orphan(ctx context.Context, v *view, held *entity.Lock) (Finding, bool) {
	if held == nil || v.now.Sub(held.Since) < v.age {
		return Finding{}, false
	}
	owner, err := c.hub.Head(ctx, held.Owner)
	if err != nil || !held.IsOrphan(owner) {
		return Finding{}, false
	}
	f := Finding{Severity: Waiting, Kind: "lock-orphaned", Place: "lock", What: "it is locked by " + held.Owner + ", which does not run any more"}
	return f.with(all{release{v.id, *held, v.now}, v.look()}), true
}

// release ends a critical section at an entity.
type release struct {
	id   string
	held entity.Lock
	now  time.Time
}

func (r release) describe() string { return "release the lock" }

func (r release) apply(ctx context.Context, hub *azure.Hub) error {
	return hub.Tell(ctx, r.id, taskhub.Release(r.held.Owner, r.held.Section, r.id, r.now))
}
