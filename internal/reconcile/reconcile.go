package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

const (
	// every is how often the process that looks reads a page of unfinished rows.
	every = time.Minute
	// checksPerMinute is how many instances are looked at in a minute; checksAtStart
	// those of the first two minutes of a process.
	checksPerMinute = 20
	checksAtStart   = 4000
	// pagesAtStart is how many pages of rows a start reads.
	pagesAtStart = 3
	// recent is how long ago the row of an instance was written that may have been worked
	// on when the hub's processes ended: a start looks at those first.
	recent = 15 * time.Minute
	// afterParents is how much later than others a child without a history is looked
	// at: to start it changes its parent, and that is not looked at again for a while.
	// So what the parent has lost itself is found first.
	afterParents = 10 * time.Second
	// again is the least time between two rounds.
	again = 3 * time.Second
	// atOnce bounds the requests at the same time.
	atOnce = 4
	// notesEvery is in how many minutes all notes are read once.
	notesEvery = 10
	// maxTracked bounds what is remembered of instances.
	maxTracked = 20_000
)

// Hub is what the reconciler needs of a task hub. [taskhub.Store] has it.
type Hub interface {
	Blobs
	List(ctx context.Context, q taskhub.Query) (*taskhub.Page, error)
	Instance(ctx context.Context, id string) (*taskhub.Instance, error)
	Head(ctx context.Context, id string) (taskhub.Fence, error)
	Load(ctx context.Context, id string, from uint64) (*taskhub.History, error)
	Look(ctx context.Context, id string, o taskhub.LookOptions) (*taskhub.Inbox, error)
	Send(ctx context.Context, queue string, m *taskhub.Message, delay time.Duration) (*taskhub.Lease, error)
}

// Options say what is reconciled. All fields but Gauge, Prepare, Elsewhere and
// Each are required.
type Options struct {
	Hub Hub
	// Gauge says how long messages wait in a queue; nil: they do not.
	Gauge taskhub.Gauge
	// Process names this process.
	Process string
	// Working are the instances that this process works on.
	Working func() []string
	// Prepare is called before instances are looked at. nil: nothing is.
	Prepare func(ctx context.Context)
	// Elsewhere reports whether an instance is left alone for a reason that the hub does
	// not show. nil: none is.
	Elsewhere func(id string) bool
	// ControlOf is the queue of an orchestrator.
	ControlOf func(orchestrator string) string
	// Lease is how long a message stays hidden that a process holds.
	Lease time.Duration
	// Each is called every minute by the process that looks. nil: nothing is.
	Each func(ctx context.Context)
	Log  *slog.Logger
}

// Reconciler finds instances that no process works on. Its methods are for one
// goroutine.
type Reconciler struct {
	Options
	board  blob[board]
	looker bool
	// beat is the number that another process had on the board, and since when.
	beat  int64
	since time.Time
	// notes are those of other processes, by slot.
	notes map[int]*seenNote
	// token is where the next page of rows begins.
	token   string
	tracked map[string]*tracked
	tokens  int
	// pages counts the rounds that have read one.
	pages  int
	failed bool
}

// tracked is what is remembered of an unfinished instance.
type tracked struct {
	row *taskhub.Instance
	// known says that the sentinel was read, version what was seen of it.
	known   bool
	version string
	since   time.Time
	// next is when to look again, looks how often there was nothing to do.
	next  time.Time
	looks int
}

// New makes a reconciler.
func New(o Options) *Reconciler {
	return &Reconciler{Options: o, board: blob[board]{name: boardName}, notes: map[int]*seenNote{}, tracked: map[string]*tracked{}}
}

// patience is how long an instance must be without a commit: a lease of a process
// that died ends in that time, and who works on it then has noted that.
func (r *Reconciler) patience() time.Duration { return r.Lease + announceEvery + 2*time.Second }

// Run looks until ctx ends: at once, every minute, and when an instance is to be
// looked at a second time.
func (r *Reconciler) Run(ctx context.Context) {
	r.tokens = checksAtStart
	began := time.Now()
	for first, minute := true, began; ctx.Err() == nil; first = false {
		due := !time.Now().Before(minute)
		if due {
			minute = time.Now().Add(every)
			if time.Since(began) > 2*every {
				r.tokens = checksPerMinute
			}
		}
		err := r.round(ctx, first, due)
		if err != nil && ctx.Err() == nil && !r.failed {
			r.Log.Warn("instances that no process works on cannot be looked for now", "error", err)
		}
		r.failed = err != nil
		if r.looker && due && err == nil && r.Each != nil {
			r.Each(ctx)
		}
		timer := time.NewTimer(r.pause(minute))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

// pause is how long to wait for the next round.
func (r *Reconciler) pause(minute time.Time) time.Duration {
	next := minute
	if r.looker && r.tokens > 0 {
		for _, t := range r.tracked {
			if t.next.Before(next) {
				next = t.next
			}
		}
	}
	return min(max(time.Until(next), again), max(time.Until(minute), again))
}

// round looks once. due says that a minute is over.
func (r *Reconciler) round(ctx context.Context, first, due bool) error {
	if due {
		if err := r.elect(ctx, first); err != nil {
			return fmt.Errorf("finding out which process looks: %w", err)
		}
	}
	if !r.looker {
		clear(r.tracked)
		return nil
	}
	if due {
		pages := 1
		if first {
			pages = pagesAtStart
		}
		if err := r.list(ctx, pages, first); err != nil {
			return err
		}
		// Slots of processes that are gone are found, whatever there is to look at.
		if r.pages++; r.pages%notesEvery == 0 {
			if err := r.readNotes(ctx); err != nil {
				return err
			}
		}
	}
	return r.check(ctx)
}

// unfinished are the states of instances that something should happen to.
var unfinished = []history.Status{history.Pending, history.Running, history.Suspended, history.ContinuedAsNew}

// list begins to track the instances of the next pages.
func (r *Reconciler) list(ctx context.Context, pages int, first bool) error {
	for range pages {
		page, err := r.Hub.List(ctx, taskhub.Query{Statuses: unfinished, WithoutPayloads: true, Max: taskhub.MaxPage, Token: r.token})
		if errors.Is(err, taskhub.ErrToken) {
			r.token = ""
		}
		if err != nil {
			return err
		}
		now := time.Now()
		for _, row := range page.Instances {
			r.track(row, now, first)
		}
		if r.token = page.Token; r.token == "" {
			return nil
		}
	}
	return nil
}

// track remembers an unfinished instance. Its sentinel is read when there is time; a
// row without one is known by itself.
func (r *Reconciler) track(row *taskhub.Instance, now time.Time, first bool) {
	t := r.tracked[row.ID]
	if t == nil {
		if len(r.tracked) >= maxTracked {
			return
		}
		t = &tracked{row: row, since: now, next: now}
		r.tracked[row.ID] = t
		if first && now.Sub(row.Updated) > recent {
			t.next = now.Add(every) // it takes its turn
		}
	}
	if t.row = row; row.Status == history.Pending && !t.known {
		t.see(row.ETag, now)
		t.next = t.since.Add(r.patience())
		if row.ParentInstanceID != "" {
			t.next = t.next.Add(afterParents)
		}
	}
}

// see notes the version of an instance and reports whether it is as it was.
func (t *tracked) see(version string, now time.Time) bool {
	if t.known && t.version == version {
		return true
	}
	t.known, t.version, t.since, t.looks = true, version, now, 0
	return false
}
