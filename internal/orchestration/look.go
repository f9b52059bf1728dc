package orchestration

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/durable-go/functions/internal/arrival"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

const (
	second = time.Second
	hour   = time.Hour
)

// How an orchestration looks at its inbox. A single telling is looked at at once,
// and the wake-up is let go with that look. Where they come fast, wake-ups stay for
// a while, so that later tellings need none of their own, and looks have a pause
// between them, so that each finds several.
const (
	// pause is the least time between two looks while a wake-up is held.
	pause = 20 * time.Millisecond
	// linger is how long after a look the wake-ups are let go, where that look came
	// so soon after the one before.
	linger = 100 * time.Millisecond
)

// maxTaken is how many rows a commit takes in: each is deleted, written as history,
// and fits one transaction with the rest of the turn.
const maxTaken = 48

// inbox is what the orchestration knows of its inbox.
type inbox struct {
	// wanted means that a look is to be made now, next when one is to be made, or
	// gathered messages are to be told; zero: none is planned.
	wanted bool
	next   time.Time
	// rows were looked at and are not taken yet; again means that more are there, or
	// can be taken now.
	rows  []*taskhub.InboxRow
	again bool
	last  time.Time
	// early are messages that came a moment before the time in them, earlyAt is when
	// that comes for the first of them.
	early   []*Message
	earlyAt time.Time
	// foreign are messages of clients of another make that are to be told.
	foreign arrival.Gathering
}

func (b *inbox) more() bool { return len(b.rows) > 0 || b.again }

// plan sees to it that a look is made then, or before.
func (b *inbox) plan(at time.Time) {
	if b.next.IsZero() || at.Before(b.next) {
		b.next = at
	}
}

// want sees to it that a look is made now.
func (b *inbox) want() { b.wanted = true }

// begin makes a look that was planned wanted when its time has come.
func (b *inbox) begin(now time.Time) {
	if !b.next.IsZero() && !now.Before(b.next) {
		b.next, b.wanted = time.Time{}, true
	}
}

// tellGathered collects messages of clients of another make and, after a moment,
// puts them into the inbox in the order in which they were sent.
func (in *Instance) tellGathered(ctx context.Context, batch []Item) error {
	b, now := &in.inbox, in.Exec.Clock.Now()
	for _, it := range batch {
		if m, ok := it.(*Message); ok && kindOf(m.Message.Event) == tells {
			b.foreign.Add(m.Delivery, now)
		}
	}
	if b.foreign.IsEmpty() {
		return nil
	}
	if at := b.foreign.Next(in.Numbers, now); !at.IsZero() {
		b.plan(at)
		return nil
	}
	if err := in.tellSelf(ctx, b.foreign.Tellings()); err != nil {
		return err
	}
	b.foreign.Clear()
	b.wanted = true
	return nil
}

// onlyGathers reports whether a batch has nothing but messages that are gathered.
func (in *Instance) onlyGathers(batch []Item) bool {
	if in.inbox.foreign.IsEmpty() || in.inbox.wanted {
		return false
	}
	return !slices.ContainsFunc(batch, func(it Item) bool {
		m, ok := it.(*Message)
		return ok && kindOf(m.Message.Event) != tells
	})
}

// tellSelf puts messages into the inbox. One that no inbox takes is dropped.
func (in *Instance) tellSelf(ctx context.Context, list []*taskhub.Telling) error {
	var tellings []*taskhub.Telling
	for _, t := range list {
		origin, err := in.originOf(ctx, t.Origin)
		if err != nil {
			return err
		}
		t.Origin = origin
		if err := t.Check(); err != nil {
			in.Log.Error("a message was dropped that no inbox takes", "instance", in.ID, "message", t.ID, "error", err)
			continue
		}
		tellings = append(tellings, t)
	}
	if len(tellings) == 0 {
		return nil
	}
	return in.Exec.Do(ctx, func(ctx context.Context) error { return in.Store.Tell(ctx, in.ID, tellings...) })
}

// originOf is the execution that was started and of which the named one, which a
// client has read in a row, is a continuation.
func (in *Instance) originOf(ctx context.Context, named string) (string, error) {
	if named == "" {
		return "", nil
	}
	x := in.x
	if x == nil {
		head, err := in.readHead(ctx)
		if err != nil {
			return "", err
		}
		x = &execution{id: head.ExecutionID, origin: head.Origins()}
	}
	if x.id != "" && x.descends(in.ID, named) {
		return x.origin, nil
	}
	return named, nil
}

// look makes the look that is wanted and returns the events of the rows that the
// next commit takes.
func (in *Instance) look(ctx context.Context) ([]told, error) {
	b := &in.inbox
	if !b.wanted {
		return nil, nil
	}
	if len(b.rows) == 0 && in.tooFast() {
		return nil, nil
	}
	if len(b.rows) == 0 {
		if err := in.query(ctx); err != nil {
			return nil, err
		}
	}
	if in.x.id == "" || in.x.ended() {
		return in.unstarted(ctx)
	}
	return in.takeRows(), nil
}

// tooFast reports whether a look is put off because the last one was just now.
func (in *Instance) tooFast() bool {
	b := &in.inbox
	at := b.last.Add(pause)
	if b.again || !in.custody.IsOpen() || !in.Exec.Clock.Now().Before(at) {
		return false
	}
	b.wanted = false
	b.plan(at)
	return true
}

// query reads the inbox. Unless many tellings come, the wake-ups begin to be let go
// before that: what is told from then on brings its own.
func (in *Instance) query(ctx context.Context) error {
	b := &in.inbox
	now := in.Exec.Clock.Now()
	if now.Sub(b.last) < linger && in.custody.IsOpen() {
		b.plan(now.Add(linger))
	} else {
		in.custody.Close()
	}
	b.last = now
	// What is told a suspended instance is taken in as well: its code gets it when it is
	// resumed, in the order in which it came among timers and results.
	options := taskhub.LookOptions{Now: now}
	var found *taskhub.Inbox
	err := in.Exec.Do(ctx, func(ctx context.Context) (err error) {
		found, err = in.Store.Look(ctx, in.ID, options)
		return err
	})
	if err != nil {
		return err
	}
	b.rows, b.again = found.Rows, found.More
	if len(b.rows) == 0 && in.x != nil && in.custody.LooksForOthers() {
		// A process that stood still may have committed under it a moment ago.
		return in.verifyNow(ctx)
	}
	return nil
}

// told is the event of an inbox row, and when that was stored.
type told struct {
	event *history.Event
	at    time.Time
}

// merge puts what came as messages and results, and what was told, into the order in
// which it happened, as far as clocks agree: a wake-up may come later than the result
// of something that was begun after it. Each list keeps its own order, and a start
// stays first.
func merge(events []*history.Event, rows []told) []*history.Event {
	out := make([]*history.Event, 0, len(events)+len(rows))
	for len(events) > 0 && len(rows) > 0 {
		if e := events[0]; e.Type == history.ExecutionStarted || e.Timestamp.Before(rows[0].at) {
			out, events = append(out, e), events[1:]
		} else {
			out, rows = append(out, rows[0].event), rows[1:]
		}
	}
	out = append(out, events...)
	for _, r := range rows {
		out = append(out, r.event)
	}
	return out
}

// takeRows moves rows from the inbox into the draft and returns their events.
func (in *Instance) takeRows() (events []told) {
	x, b := in.x, &in.inbox
	for len(b.rows) > 0 && len(events) < maxTaken {
		row := b.rows[0]
		if errors.Is(row.Err, taskhub.ErrUnread) {
			// What comes after it waits for it.
			b.rows, b.again = nil, false
			b.plan(in.Exec.Clock.Now().Add(second))
			break
		}
		b.rows = b.rows[1:]
		t := take{key: row.Key}
		if in.isForUs(row) {
			e := *row.Telling.Event
			e.ID, e.Own.Message = history.NoID, row.Telling.ID
			t.event = &e
			events = append(events, told{t.event, row.Stored})
		}
		x.draft.takes = append(x.draft.takes, t)
		if t.event != nil && t.event.Type == history.ExecutionTerminated {
			b.again = true
			break
		}
	}
	return events
}

// isForUs reports whether a row is for the execution in memory, and logs why not.
func (in *Instance) isForUs(row *taskhub.InboxRow) bool {
	x := in.x
	switch {
	case row.Err != nil:
		in.Log.Error("a row of the inbox cannot be read and is dropped", "instance", in.ID, "row", row.Key, "error", row.Err)
	case row.Telling.Origin != "" && !x.descends(in.ID, row.Telling.Origin),
		row.Telling.Origin == "" && row.Stored.Before(x.over):
		in.Log.Info("what was told an earlier execution was dropped", "instance", in.ID, "event", row.Telling.Event.Type, "message", row.Telling.ID)
	default:
		return true
	}
	return false
}

func (in *Instance) discard(ctx context.Context, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	return in.Exec.Do(ctx, func(ctx context.Context) error { return in.Store.Discard(ctx, in.ID, keys...) })
}

// unstarted deals with what was told an instance that does not run: it has no history,
// or one that has ended. What is for a start that the instance row shows, and whose
// message has not come yet, stays. The rest is deleted: only the rows that were listed,
// and only after the instance row was read, because a start may come meanwhile.
func (in *Instance) unstarted(ctx context.Context) ([]told, error) {
	b := &in.inbox
	rows := b.rows
	b.rows = nil
	if len(rows) == 0 {
		b.again = false
		return nil, nil
	}
	if in.x.ended() {
		// The rows may have come after the history was read.
		if err := in.verifyNow(ctx); err != nil {
			return nil, err
		}
	}
	row, err := in.Row(ctx, in.ID)
	if err != nil && !errors.Is(err, taskhub.ErrNotFound) {
		return nil, err
	}
	if err != nil || row.Status.Finished() || in.x.ended() && row.Origins() == in.x.origin {
		row = nil // no start is on its way
	}
	mine, others := forStart(rows, row)
	for _, r := range others {
		in.logDropped(r)
	}
	if err := in.discard(ctx, keysOf(others)); err != nil || len(mine) == 0 {
		return nil, err
	}
	if end := mine[0]; end.Telling.Event.Type == history.ExecutionTerminated && row.Status == history.Pending &&
		(row.Scheduled.After(in.Exec.Clock.Now()) || in.custody.Deliveries() >= startTries) {
		return in.terminateUnstarted(end, row), nil
	}
	return nil, in.notStarted(row)
}

// forStart divides rows of the inbox into those for the start that the instance row
// shows, nil when there is none, and the others.
func forStart(rows []*taskhub.InboxRow, row *taskhub.Instance) (mine, others []*taskhub.InboxRow) {
	for _, r := range rows {
		if row != nil && r.Err == nil && (r.Telling.Origin == "" || r.Telling.Origin == row.Origins()) {
			mine = append(mine, r)
		} else {
			others = append(others, r)
		}
	}
	return mine, others
}

func keysOf(rows []*taskhub.InboxRow) (keys []string) {
	for _, r := range rows {
		keys = append(keys, r.Key)
	}
	return keys
}

func (in *Instance) logDropped(r *taskhub.InboxRow) {
	if r.Err == nil {
		in.Log.Info("what was told an instance that does not run was dropped", "instance", in.ID, "event", r.Telling.Event.Type, "message", r.Telling.ID)
	}
}

// terminateUnstarted ends an instance whose start message has not come yet: its
// history is that of a start and its end, so that the process that brings the start
// message finds that it is over. User code does not run.
func (in *Instance) terminateUnstarted(end *taskhub.InboxRow, row *taskhub.Instance) []told {
	execution := row.ExecutionID
	if execution == "" {
		execution = taskhub.DerivedID("unstarted", in.ID)
	}
	in.begin(execution, row)
	in.x.draft.takes = []take{{key: end.Key}}
	e := *end.Telling.Event
	e.ID, e.Own.Message = history.NoID, end.Telling.ID
	ref := history.InstanceRef{InstanceID: in.ID, ExecutionID: execution}
	start := &history.Event{
		Type: history.ExecutionStarted, ID: history.NoID, Timestamp: row.Created, Instance: ref, Name: row.Name, Version: row.Version,
		Input: row.Input, Tags: row.Tags, ScheduledStart: row.Scheduled, Generation: row.Generation,
	}
	return []told{{start, row.Created}, {&e, end.Stored}}
}
