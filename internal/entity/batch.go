package entity

import (
	"context"
	"fmt"
	"time"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/journal"
	"github.com/durable-go/functions/internal/lease"
	"github.com/durable-go/functions/internal/taskhub"
)

// draft is what the next commit stores.
type draft struct {
	state   history.Payload
	decoded any
	lock    *lock
	outbox  []letter
	recent  []Done
	answers []taskhub.Answer
	// size is how long the answers are.
	size int
	// done are the steps that are in it.
	done []step
	// spans are what it has done, for the observer.
	spans []*observe.Span
}

// run carries steps out until they are done, or what they have made fills a commit.
func (en *Entity) run(ctx context.Context, steps []step) (*draft, error) {
	d := &draft{state: en.c.state, decoded: en.c.decoded, lock: en.c.saved.Lock}
	code, unknown := en.Entities(en.name.Name)
	if unknown != nil && en.mayBeKnownElsewhere(unknown) && needsCode(steps) {
		return nil, &postponed{reason: unknown.Error(), delay: lease.UnknownDelay}
	}
	most := len(steps)
	if code != nil && code.MaxBatch > 0 {
		most = code.MaxBatch
	}
	if en.narrow || en.deliveries() >= suspectDeliveries {
		most = 1
	}
	steps = first(steps, most)
	var failed error
	work := func() {
		began := en.Exec.Clock.Now()
		for _, s := range steps {
			if failed = en.do(ctx, d, s, code, unknown); failed != nil {
				return
			}
			d.done = append(d.done, s)
			if d.size > maxAnswers || en.Exec.Clock.Now().Sub(began) > batchTime {
				return
			}
		}
	}
	err := en.Host.RunBatch(ctx, work)
	if err == nil && failed != nil && len(d.done) == 0 {
		err = failed
	}
	return d, err
}

func needsCode(steps []step) bool {
	for _, s := range steps {
		if s.kind == runs {
			return true
		}
	}
	return false
}

// mayBeKnownElsewhere reports whether another process may know an entity that is
// unknown here.
func (en *Entity) mayBeKnownElsewhere(err error) bool {
	return journal.IsElsewhere(err) || en.custody.Young(en.Exec.Clock.Now(), lease.UnknownPatience)
}

// do carries one step out.
func (en *Entity) do(ctx context.Context, d *draft, s step, code *Code, unknown error) error {
	switch s.kind {
	case releases:
		d.lock = nil
	case grants:
		d.grant(s.request, en.after(s), en.ID)
	case loses:
		en.answer(d, s, &history.EntityAnswer{Failure: &history.FailureDetails{
			ErrorType: LockLost, ErrorMessage: fmt.Sprintf("the critical section does not hold the lock of %s any more", en.ID), NonRetriable: true,
		}})
	case drops:
		if s.problem != "" {
			en.Log.Error("a row of an entity's inbox was dropped", "entity", en.ID, "row", s.row.Key, "reason", s.problem)
		}
	case runs:
		return en.operate(ctx, d, s, code, unknown)
	}
	return nil
}

// grant gives the lock to a request, and passes it on to the next entity of the set;
// the last one answers.
func (d *draft) grant(r *history.EntityRequest, now time.Time, id string) {
	d.lock = &lock{ID: r.ID, Owner: r.Parent, Execution: r.ParentExecution, Since: now}
	if next := r.Position + 1; next < len(r.LockSet) {
		onward := *r
		onward.Position = next
		to := r.LockSet[next]
		d.outbox = append(d.outbox, letter{
			ID: taskhub.LockID(r.ID, to.String()), Sent: now, Request: &requestLetter{Entity: to, Request: []byte(onward.Encode())},
		})
		return
	}
	d.outbox = append(d.outbox, answered(r, now, id, history.LockAcquired()))
}

// answered is the letter that answers an orchestration.
func answered(r *history.EntityRequest, now time.Time, id string, a *history.EntityAnswer) letter {
	return letter{
		ID: taskhub.GUID("answer", id, r.ID), Sent: now,
		Answer: &answerLetter{Instance: r.Parent, Execution: r.ParentExecution, Request: r.ID, Answer: []byte(a.Encode())},
	}
}

// operate runs an operation and takes over what it did, unless it has failed.
func (en *Entity) operate(ctx context.Context, d *draft, s step, code *Code, unknown error) error {
	span := en.spanOf(s)
	o, err := en.outcome(en.within(ctx, span), d, s, code, unknown)
	if err != nil {
		return err
	}
	en.end(d, span, o.Failure)
	d.did(s.request, en.after(s), o.Failure)
	if o.Failure == nil {
		d.state, d.decoded = o.State, o.Decoded
		en.post(d, s, o, span)
	} else {
		d.decoded = nil // the code may have changed it
		if s.request.Signal {
			en.failedSignal(s.request, o.Failure)
		}
	}
	en.answer(d, s, &history.EntityAnswer{Result: o.Result, Failure: o.Failure})
	return nil
}

// failedSignal logs an operation that nothing waits for.
func (en *Entity) failedSignal(r *history.EntityRequest, f *history.FailureDetails) {
	if f.ErrorType == UnknownEntity || f.ErrorType == UnknownOperation {
		if en.Dropped != nil {
			en.Dropped(en.ID)
		}
	}
	en.Log.Error("a signal to an entity failed and was dropped", "entity", en.ID, "operation", r.Operation, "error", f.ErrorMessage, "kind", f.ErrorType)
}

// Types of failures that the engine makes itself.
const (
	UnknownEntity    = "UnknownEntity"
	UnknownOperation = "UnknownOperation"
	LockLost         = "LockLost"
	TooLarge         = "PayloadTooLarge"
)

// outcome runs an operation.
func (en *Entity) outcome(ctx context.Context, d *draft, s step, code *Code, unknown error) (o *Outcome, err error) {
	r := s.request
	switch {
	case en.refused != nil:
		o = failure("RefusedByStorage", "storage refuses what the operation did: %v", en.refused)
		en.refused = nil
		return o, nil //nolint:nilerr // the error is the outcome of the call
	case unknown != nil:
		return failure(UnknownEntity, "%v", unknown), nil
	}
	op := &Operation{
		Entity: en.name, Name: r.Operation, Input: r.Input, Request: r.ID, Caller: r.Parent,
		State: d.state, Decoded: d.decoded, Now: en.Exec.Now(),
	}
	run := func() { o = en.guarded(ctx, code, op) }
	err = en.Host.RunOperation(ctx, en.code(r.ID), en.deliveries(), run)
	switch {
	case journal.IsElsewhere(err):
		return nil, &postponed{reason: err.Error(), delay: time.Second}
	case err != nil && ctx.Err() != nil:
		return nil, err
	case err != nil:
		en.blamed = true
		return &Outcome{Failure: activity.Exited(err)}, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return en.fitting(code, o), nil
}

// guarded runs the code on a goroutine whose loss it notices, within its time.
func (en *Entity) guarded(ctx context.Context, code *Code, op *Operation) *Outcome {
	o := failure("Goexit", "the operation ended its goroutine with runtime.Goexit")
	if code.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, code.Timeout)
		defer cancel()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		o = code.Run(ctx, op)
	}()
	<-done
	return o
}

// fitting fails an operation whose state, result or messages are too large.
func (en *Entity) fitting(code *Code, o *Outcome) *Outcome {
	if o.Failure != nil {
		return &Outcome{Failure: o.Failure}
	}
	most := code.MaxState
	if most == 0 {
		most = en.MaxPayload
	}
	for _, p := range []struct {
		what    string
		payload history.Payload
		most    int
	}{{"the state", o.State, most}, {"the result", o.Result, en.MaxPayload}} {
		if len(p.payload) > p.most {
			return failure(TooLarge, "%s of entity %s has %d bytes, at most %d are stored", p.what, en.ID, len(p.payload), p.most)
		}
	}
	for _, s := range o.Signals {
		if len(s.Input) > en.MaxPayload {
			return failure(TooLarge, "the input of a signal to %s has %d bytes, at most %d are stored", s.Entity, len(s.Input), en.MaxPayload)
		}
	}
	return o
}

func failure(kind, format string, args ...any) *Outcome {
	return &Outcome{Failure: &history.FailureDetails{ErrorType: kind, ErrorMessage: fmt.Sprintf(format, args...), NonRetriable: true}}
}

// after is now, or a moment after the telling of a step where the clock of its teller
// is ahead: what the step causes comes later.
func (en *Entity) after(s step) time.Time {
	now, sent := en.Exec.Now(), s.row.Telling.Sent
	if !now.After(sent) {
		return sent.Add(100 * time.Nanosecond)
	}
	return now
}

// post puts what an operation has sent into the outbox.
func (en *Entity) post(d *draft, s step, o *Outcome, span *observe.Span) {
	now := en.after(s)
	for i, signal := range o.Signals {
		id := taskhub.GUID("signal", en.ID, s.row.Telling.ID, fmt.Sprint(i))
		r := history.EntityRequest{Operation: signal.Operation, Signal: true, Input: signal.Input, ID: id}
		trace := en.sends(d, span, id, observe.Span{Kind: observe.Entity, Name: signal.Entity.Name, Operation: signal.Operation, InstanceID: en.ID, TargetID: signal.Entity.String(), Scheduled: signal.Due}, now)
		d.outbox = append(d.outbox, letter{ID: id, Sent: now, Trace: trace, Request: &requestLetter{Entity: signal.Entity, Request: []byte(r.Encode()), Due: signal.Due}})
	}
	for i, start := range o.Starts {
		id := taskhub.GUID("start", en.ID, s.row.Telling.ID, fmt.Sprint(i))
		trace := en.sends(d, span, id, observe.Span{Kind: observe.Orchestration, Name: start.Name, Version: start.Version, InstanceID: start.InstanceID, ExecutionID: executionOf(id)}, now)
		d.outbox = append(d.outbox, letter{ID: id, Sent: now, Trace: trace, Start: &start})
	}
}

// answer answers who waits for a step.
func (en *Entity) answer(d *draft, s step, a *history.EntityAnswer) {
	r := s.request
	switch {
	case r.Client:
		p := a.Encode()
		d.answers = append(d.answers, taskhub.Answer{Telling: s.row.Telling.ID, Payload: p})
		d.size += len(p)
	case r.Signal || r.Parent == "":
	default:
		l := answered(r, en.after(s), en.ID, a)
		d.outbox = append(d.outbox, l)
		d.size += len(l.Answer.Answer)
	}
}

// commit runs steps and stores what they did.
func (en *Entity) commit(ctx context.Context, steps []step) ([]step, error) {
	d, err := en.run(ctx, steps)
	if err != nil {
		return nil, err
	}
	if err := en.store(ctx, d); err != nil {
		return nil, err
	}
	en.tell(d.spans)
	en.measureBatch(d)
	en.narrow = false
	for _, a := range d.answers {
		en.Host.Answered(en.ID, a.Telling, a.Payload)
	}
	en.tellJournal(d.done)
	return d.done, nil
}

// tellJournal acquits the operations that are stored, and lets it forget those whose
// failure is.
func (en *Entity) tellJournal(done []step) {
	for _, s := range done {
		if s.kind == runs {
			en.Journal.Stored(en.code(s.request.ID))
			en.Journal.Settle(en.code(s.request.ID))
		}
	}
}

// deliveries is how often the wake-up came that is held, for a journal that goes by
// that. One operation at most fails for it: who is behind it in the inbox has not run.
func (en *Entity) deliveries() int {
	if en.blamed {
		return 0
	}
	return en.custody.Deliveries()
}
