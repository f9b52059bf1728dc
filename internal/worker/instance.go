package worker

import (
	"container/list"
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// instance is one orchestration in this process. One goroutine at a time
// drives it, from post to take.
type instance struct {
	w  *Worker
	id string

	// Guarded by the worker's lock.
	inbox   []*item
	driving bool
	place   *list.Element

	// leases counts held, for those who do not drive.
	leases atomic.Int32

	// The rest belongs to the goroutine that drives.

	// eng is nil until the history was loaded.
	eng       *engine.Instance
	execution string
	// origin is the execution that this one descends from and that was started
	// by a message; empty where that is this one.
	origin string
	fence  taskhub.Fence
	// fresh says that the next commit starts a new generation over an old one.
	fresh bool
	// current says that the history was read for the batch that is looked at.
	current bool
	// committed is the history as stored; seen has the logical ids of the
	// messages in it.
	committed []*history.Event
	seen      map[string]bool
	// pending are the events of turns that are not committed yet, unacked the
	// items that caused them.
	pending []*history.Event
	unacked []*item
	// noted is how many of unacked are among what has arrived.
	noted int
	// outcome is the ExecutionCompleted event once the execution has ended.
	outcome *history.Event
	// deferrable says that what is pending is a first turn that may wait for
	// its first result.
	deferrable bool

	row    rowState
	custom custom
	// reason is why the orchestration was last suspended or resumed.
	reason history.Payload
	// held are the messages that this process holds for the orchestration.
	held map[string]*held
	// early are messages that came before others of their sender, and are held
	// until those have come.
	early   []*item
	arrived arrived
	// followed are the events after which others of their senders have come that
	// are not committed yet.
	followed map[string]bool
	// sentEarlier are the last events that the executions before this one have
	// sent, by the instances they were for.
	sentEarlier map[string]taskhub.Earlier
	// under tells under whose lease an open action was dispatched.
	under map[int32]string
	// jobs are the activities that were handed to the pool, by action id.
	jobs map[int32]*job
	// timers are the timers whose messages this process has sent, by action id;
	// sent are other actions that it has sent.
	timers map[int32]*timer
	sent   map[int32]bool
	// redone counts how often an action was taken out of the history by a rewind,
	// or recorded anew after one; recorded are the actions since the first rewind,
	// nil where there was none.
	redone   map[int32]int
	recorded map[int32]bool
	// rewound is how many of the committed events come before the last rewind.
	rewound int
	// lost are open actions that must be dispatched anew.
	lost map[int32]bool
	// local counts the events of its own that are in the inbox.
	local int
	// overflow are jobs that the pool gave up: they go to their queue.
	overflow []*job
	// spilled are the actions whose work is in messages of its own; unrecorded
	// says that the last commit did not have all of them.
	spilled    []taskhub.Range
	unrecorded bool
	// carriers are the work items whose results are pending.
	carriers []*held
	// alarm stops the timer that was set for the orchestration, nil when none.
	alarm func() bool
	// since is when the orchestration came without a host invocation that
	// carries it; zero when one does.
	since time.Time
	// blame is set when the code ended the process: the instance fails with it.
	blame error
}

func newInstance(w *Worker, id string) *instance {
	return &instance{
		w: w, id: id,
		seen:  map[string]bool{},
		held:  map[string]*held{},
		under: map[int32]string{},
		jobs:  map[int32]*job{},

		timers: map[int32]*timer{},
		sent:   map[int32]bool{},
		redone: map[int32]int{},
	}
}

// busy tells whether the orchestration must stay in memory: work here is done
// for it. Called under the worker's lock by the goroutine that drives.
func (in *instance) busy() bool {
	return len(in.held) > 0 || len(in.jobs) > 0 || in.local > 0 || len(in.pending) > 0 || in.alarm != nil
}

func (in *instance) worthKeeping() bool { return in.eng != nil && in.outcome == nil }

// loop drives the orchestration until its inbox is empty.
func (in *instance) loop(ctx context.Context) {
	for {
		batch := in.w.take(in)
		if batch == nil {
			return
		}
		in.current = false
		in.step(ctx, batch)
	}
}

// errStale says that a message may be for an execution that is newer than what
// is in memory.
var errStale = errors.New("the orchestration in memory is not the current one")

// errBehind says that another process has committed since this one read.
var errBehind = errors.New("the orchestration in memory is behind")

// step looks at a batch until what it says is durable. Whatever goes wrong for
// good drops the cache: the messages bring the batch back.
func (in *instance) step(ctx context.Context, batch []*item) {
	for {
		err := in.try(ctx, batch)
		switch {
		case err == nil:
			return
		case errors.Is(err, taskhub.ErrConflict), errors.Is(err, errBehind):
			batch = in.again(batch)
			if err := in.refresh(ctx); err != nil {
				in.abandon(ctx, 0)
				return
			}
		case errors.Is(err, taskhub.ErrGone), errors.Is(err, errStale):
			// The messages may be for what is there now: an event that came here
			// after another process continued as new.
			in.w.log.Info("execution was purged or replaced", "instance", in.id, "execution", in.execution)
			batch = in.again(batch)
			in.fence = taskhub.Fence{}
			if err := in.refresh(ctx); err != nil {
				in.abandon(ctx, 0)
				return
			}
		case errors.As(err, new(*postponed)):
			in.postpone(ctx, err)
			return
		case errors.As(err, new(*parkedError)):
			in.park(ctx, err)
			return
		default:
			if ctx.Err() == nil {
				in.w.log.Error("orchestration gave its messages back", "instance", in.id, "error", err)
			}
			in.abandon(ctx, giveBackDelay(err))
			return
		}
	}
}

// giveBackDelay is how long messages are put off after an error that a
// repetition does not mend at once.
func giveBackDelay(err error) time.Duration {
	switch {
	case errors.Is(err, taskhub.ErrFormat):
		return time.Minute
	case errors.Is(err, taskhub.ErrSealed):
		return 10 * time.Second
	}
	return time.Second
}

func anyMessage(batch []*item) bool {
	for _, it := range batch {
		if it.message != nil {
			return true
		}
	}
	return false
}

// sendResults sends the results of work items by message: the orchestration is
// not worked on here any more.
func (in *instance) sendResults(batch []*item) {
	for _, it := range batch {
		if it.lease != nil && it.result != nil {
			in.w.sendResult(it.call, it.result, it.lease)
		}
	}
}

// try is one pass: load, turn, commit, dispatch, let go.
func (in *instance) try(ctx context.Context, batch []*item) error {
	in.clearAlarm()
	if in.eng == nil && !anyMessage(batch) {
		in.sendResults(batch)
		return nil
	}
	if err := in.load(ctx, batch); err != nil {
		return err
	}
	events, due, err := in.accept(ctx, batch)
	if err != nil {
		return err
	}
	if err := in.reopenRow(ctx); err != nil {
		return err
	}
	if len(events) > 0 || in.outcome == nil && (in.blame != nil || in.eng.Unrecorded()) {
		if err := in.turn(ctx, events); err != nil {
			return err
		}
	}
	if err := in.continueAsNew(ctx); err != nil {
		return err
	}
	if in.mayWait(due) {
		if err := in.dispatch(ctx); err != nil {
			return err
		}
		if len(in.pending) <= eagerCommit {
			in.setAlarm(in.w.FirstTurn)
			return nil
		}
	}
	if err := in.commit(ctx); err != nil {
		return err
	}
	return in.drive(ctx, due)
}

// eagerCommit is the number of events above which a first turn is written at
// once, while its activities run already: the write takes a while.
const eagerCommit = 50

// again is the batch together with everything before it that was accepted and
// not committed.
func (in *instance) again(batch []*item) []*item {
	all := in.unacked
	for _, it := range batch {
		if !contains(all, it) {
			all = append(all, it)
		}
	}
	in.unacked, in.noted = nil, 0
	return all
}

func contains(items []*item, it *item) bool {
	for _, other := range items {
		if other == it {
			return true
		}
	}
	return false
}

// drop forgets everything in memory. The messages stay as they are.
func (in *instance) drop() {
	in.clearAlarm()
	in.stopTimers()
	in.dropJobs(in.lostBy())
	in.closeCode()
	in.local = 0
	in.execution, in.fence, in.fresh = "", taskhub.Fence{}, false
	in.committed, in.pending, in.unacked, in.outcome = nil, nil, nil, nil
	in.spilled, in.overflow, in.carriers, in.unrecorded, in.deferrable = nil, nil, nil, false, false
	in.row, in.custom, in.reason, in.since, in.blame = rowState{}, custom{}, nil, time.Time{}, nil
	in.early, in.arrived, in.followed, in.noted = nil, arrived{}, nil, 0
	clear(in.seen)
	clear(in.held)
	clear(in.under)
	clear(in.jobs)
	in.leases.Store(0)
}

// abandon gives all messages back and forgets the rest.
func (in *instance) abandon(ctx context.Context, delay time.Duration) {
	for _, h := range in.held {
		h.giveBack(ctx, delay)
	}
	for _, h := range in.carriers {
		in.w.items.leave(h.id, false)
		h.giveBack(ctx, delay)
	}
	in.drop()
}

// release is abandon for a worker that stops.
func (in *instance) release(ctx context.Context) { in.abandon(ctx, 0) }

func (in *instance) removeAll(ctx context.Context) {
	for id, h := range in.held {
		in.letGo(ctx, id, h)
	}
}

// letGo removes a message off the path of the orchestration.
func (in *instance) letGo(ctx context.Context, id string, h *held) {
	delete(in.held, id)
	in.leases.Store(int32(len(in.held)))
	if !in.w.spawn(h.remove) {
		h.remove(ctx)
	}
}

func (in *instance) hold(id string, h *held) {
	in.held[id] = h
	in.leases.Store(int32(len(in.held)))
}

func (in *instance) setAlarm(d time.Duration) {
	in.clearAlarm()
	in.alarm = in.w.clock.AfterFunc(d, func() { in.w.post(in.id, &item{alarm: true}) })
}

func (in *instance) clearAlarm() {
	if in.alarm != nil {
		in.alarm()
		in.alarm = nil
	}
}

// primary is the message under whose lease new work runs here, nil when this
// process holds none any more.
func (in *instance) primary() *held {
	var best *held
	for _, h := range in.held {
		if h.alive() && (best == nil || h.id < best.id) {
			best = h
		}
	}
	return best
}
