package durabletest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// eachTurn is the number of events up to which an orchestration is replayed
// whenever it wakes up. Beyond, it is replayed each time its history has
// doubled, so that a long one costs as much as it is long.
const eachTurn = 100

// replays sees to it that orchestrations are replayed from their histories.
type replays struct {
	// next is the number of events at which an instance is replayed next, by id.
	next map[string]int
	// written are the instances with a history, in the order of their first
	// commit; length is how many events each has, and left how many it had when it
	// last left memory: those are replayed when it comes back.
	written      []string
	length, left map[string]int
	// differ are executions whose code did not do the same again.
	differ []error
}

// keep tells the worker whether an orchestration may stay in memory: what does
// not is replayed when something comes for it.
func (e *Env) keep(id string, events int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch r := &e.replays; {
	case events <= eachTurn:
		delete(r.next, id)
	case events < r.next[id]:
		return true
	default:
		r.next[id] = 2 * events
	}
	e.replays.left[id] = events
	return false
}

// recorder is the store of the worker. It knows what has a history, and replays
// executions that end because the next one begins.
type recorder struct {
	taskhub.Store
	env *Env
}

// Wake is that of the hub.
func (r recorder) Wake(queue string) (wake <-chan struct{}, due time.Time) {
	return r.env.hub.Wake(queue)
}

func (r recorder) Commit(ctx context.Context, c *taskhub.Commit) (taskhub.Fence, error) {
	if c.NewExecution && r.env.grown(c.InstanceID) {
		// The process may end meanwhile; the replay is the environment's.
		r.env.replay(context.WithoutCancel(ctx), c.InstanceID)
	}
	fence, err := r.Store.Commit(ctx, c)
	if err == nil {
		r.env.wrote(c)
	}
	return fence, err
}

// grown reports whether an execution has events that were not replayed.
func (e *Env) grown(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.replays.length[id] != e.replays.left[id]
}

func (e *Env) wrote(c *taskhub.Commit) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := &e.replays
	if _, known := r.length[c.InstanceID]; !known {
		r.written = append(r.written, c.InstanceID)
	}
	if c.NewExecution {
		r.length[c.InstanceID] = 0
		delete(r.left, c.InstanceID)
	}
	r.length[c.InstanceID] += len(c.Events)
}

// replay replays what is recorded of an execution, to its end. What the worker
// has found out by itself is not found again.
func (e *Env) replay(ctx context.Context, id string) {
	row, err := e.store.Instance(ctx, id)
	if err != nil || row.Parked != "" {
		return
	}
	loaded, err := e.store.Load(ctx, id, 0)
	if err != nil {
		e.differs(fmt.Errorf("the history of instance %s: %w", id, err))
		return
	}
	rec := &record{instance: id, events: loaded.Events}
	if started := rec.started(); started == nil || endedByEngine(loaded.Events) {
		return
	} else if _, err := e.app.Worker.Programs(started.Name, started.Version); err != nil {
		return
	}
	err = rec.check(e.app)
	if m := new(Mismatch); errors.As(err, &m) {
		m.sameCode = true
		e.differs(err)
	}
	if errors.As(err, new(*engine.BlockedError)) {
		e.gaveUp()
		e.differs(err)
	}
}

// endedByEngine reports whether the engine ended an orchestration because its code
// broke a rule that only a run shows, not a replay.
func endedByEngine(events []*history.Event) bool {
	return slices.ContainsFunc(events, func(e *history.Event) bool {
		return e.Type == history.ExecutionCompleted && e.Failure != nil &&
			(e.Failure.ErrorType == "NonDeterminismError" || e.Failure.ErrorType == "ForeignGoroutine")
	})
}

func (e *Env) differs(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.replays.differ = append(e.replays.differ, err)
}

// verify says at the end of a test what is wrong: it replays everything and finds
// what does not do the same again.
func (e *Env) verify() error {
	if err := errors.Join(e.codec.err(), e.activities.missed(), e.misnamed(), e.orchestrators.misnamed(e.app.Orchestrators)); err != nil || e.options.Cached {
		return err
	}
	for _, id := range e.replays.written {
		e.replay(context.Background(), id)
	}
	return errors.Join(e.replays.differ...)
}
