package engine

import (
	"fmt"
	"slices"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// EntityCall says which operation of which entity is wanted.
type EntityCall struct {
	Entity    history.EntityID
	Operation string
	Input     history.Payload
	// Retry says what to do about failures. nil: nothing.
	Retry *Retry
	// Timeout bounds the wait for the answer: the task fails with ErrTimeout then, and
	// the operation may have run, or may run yet. 0: no bound.
	Timeout time.Duration
}

// entities is what the code has to do with entities, nil while it has nothing.
type entities struct {
	// asked are the requests that have no answer yet, by their ids.
	asked map[string]*asked
	// section is the critical section that is held, or asked for; nil: none.
	section *section
}

// asked is a request to an entity that has no answer yet.
type asked struct {
	id        int32
	entity    history.EntityID
	operation string // empty for a lock
	since     time.Time
	// within is the critical section that the call is made in; nil: none.
	within *section
}

// section is a critical section.
type section struct {
	id      string
	set     []history.EntityID // in the order in which they are locked
	granted bool
	// open are the entities of the set that a call is on its way to.
	open map[history.EntityID]bool
}

func (rt *Runtime) withEntities() *entities {
	if rt.entities == nil {
		rt.entities = &entities{asked: map[string]*asked{}}
	}
	return rt.entities
}

// held is the critical section that the code is in; nil: none.
func (rt *Runtime) held() *section {
	if rt.entities == nil || rt.entities.section == nil || !rt.entities.section.granted {
		return nil
	}
	return rt.entities.section
}

// The rules of critical sections, in the official words.
const (
	ruleNested   = "Cannot acquire more locks when already holding some locks."
	ruleNoLocks  = "The list of entities to lock is empty."
	ruleCall     = "While holding locks, cannot call entities whose lock is not held (%s)."
	ruleParallel = "While holding locks, cannot call an entity (%s) again before the last call of it has ended."
	ruleSignal   = "While holding locks, cannot signal entities whose lock is held (%s)."
	ruleChild    = "While holding locks, cannot call suborchestrators."
)

// LockingRules is the type of the failure of a call that breaks the rules of critical
// sections.
const LockingRules = "LockingRulesViolation"

func broken(format string, args ...any) error {
	return rule(LockingRules, &misuse{fmt.Sprintf(format, args...)})
}

// CallEntity asks an entity for an operation; the task ends with its answer.
func (rt *Runtime) CallEntity(c *EntityCall) *Task {
	rt.check()
	return rt.callEntity(c)
}

// CallEntity is that of the Runtime.
func (a Asker) CallEntity(c *EntityCall) *Task { return a.rt.callEntity(c) }

func (rt *Runtime) callEntity(c *EntityCall) *Task {
	if err := checkOperation(c.Entity, c.Operation); err != nil {
		return rt.failed(rule("InvalidCall", err))
	}
	again := *c
	return rt.retrying(c.Retry, func(int) *Task { return rt.bounded(rt.callOnce(&again), again.Timeout) })
}

func checkOperation(id history.EntityID, operation string) error {
	if err := id.Check(); err != nil {
		return err
	}
	return history.CheckName("an operation", operation)
}

func (rt *Runtime) callOnce(c *EntityCall) *Task {
	r := history.EntityRequest{Operation: c.Operation, Input: c.Input}
	held := rt.held()
	if held != nil {
		switch {
		case !slices.Contains(held.set, c.Entity):
			return rt.failed(broken(ruleCall, c.Entity))
		case held.open[c.Entity]:
			return rt.failed(broken(ruleParallel, c.Entity))
		}
		held.open[c.Entity] = true
		r.Section = held.id
	}
	t := rt.askEntity(c.Entity, &r)
	rt.entities.asked[r.ID].within = held
	return t
}

// askEntity sends a request whose answer ends the task.
func (rt *Runtime) askEntity(to history.EntityID, r *history.EntityRequest) *Task {
	ref := rt.instance.started.Instance
	r.ID = guidOf(fmt.Sprintf("%s_%s_entity_%d", ref.InstanceID, ref.ExecutionID, rt.sequence))
	r.Parent, r.ParentExecution = ref.InstanceID, ref.ExecutionID
	t := rt.ask(&history.Event{Type: history.EventSent, InstanceID: to.String(), Name: history.EntityOperation, Input: r.Encode()})
	rt.withEntities().asked[r.ID] = &asked{id: t.id, entity: to, operation: r.Operation, since: rt.now()}
	return t
}

// bounded ends a call with ErrTimeout when its time is over.
func (rt *Runtime) bounded(call *Task, timeout time.Duration) *Task {
	if timeout <= 0 || call.done {
		return call
	}
	timer := rt.timer(rt.now().Add(timeout))
	t := &Task{rt: rt, id: history.NoID}
	call.belongTo(t)
	timer.belongTo(t)
	first := call.then
	call.then = func() {
		if first != nil {
			first()
		}
		timer.cancel()
		t.settle(call.result, call.err)
	}
	timer.then = func() {
		if timer.err == nil {
			t.settle(nil, ErrTimeout)
		}
	}
	return t
}

// SignalEntity asks an entity for an operation, one way; not before due, unless that is
// zero.
func (rt *Runtime) SignalEntity(to history.EntityID, operation string, input history.Payload, due time.Time) error {
	rt.check()
	if err := checkOperation(to, operation); err != nil {
		return rule("InvalidCall", err)
	}
	if held := rt.held(); held != nil && slices.Contains(held.set, to) {
		return broken(ruleSignal, to)
	}
	name := history.EntityOperation
	if due.After(rt.now()) {
		if err := history.CheckTime("the time of a signal", due); err != nil {
			return rule("InvalidCall", err)
		}
		name = string(history.AppendTime([]byte(name+"@"), due))
	}
	ref := rt.instance.started.Instance
	r := history.EntityRequest{
		Operation: operation, Signal: true, Input: input, Parent: ref.InstanceID, ParentExecution: ref.ExecutionID,
		ID: guidOf(fmt.Sprintf("%s_%s_entity_%d", ref.InstanceID, ref.ExecutionID, rt.sequence)),
	}
	rt.sendEntity(to, name, r.Encode())
	return nil
}

// sendEntity asks for an event to an entity that nothing answers.
func (rt *Runtime) sendEntity(to history.EntityID, name string, input history.Payload) {
	t := rt.ask(&history.Event{Type: history.EventSent, InstanceID: to.String(), Name: name, Input: input})
	rt.instance.actions.forget(t.id)
}

// Lock asks for the locks of entities; the task ends when all are held. One that is
// named twice is locked once. The code then is in a critical section, until Unlock.
func (rt *Runtime) Lock(ids []history.EntityID) *Task {
	rt.check()
	if rt.entities != nil && rt.entities.section != nil {
		return rt.failed(broken(ruleNested))
	}
	if len(ids) == 0 {
		return rt.failed(broken(ruleNoLocks))
	}
	set := slices.Compact(slices.SortedFunc(slices.Values(ids), history.EntityID.Compare))
	for _, id := range set {
		if err := id.Check(); err != nil {
			return rt.failed(rule("InvalidCall", err))
		}
	}
	r := history.EntityRequest{LockSet: set}
	t := rt.askEntity(set[0], &r)
	s := &section{id: r.ID, set: set, open: map[history.EntityID]bool{}}
	rt.withEntities().section = s
	t.then = func() { s.granted = t.err == nil }
	return t
}

// Unlock ends the critical section.
func (rt *Runtime) Unlock() {
	rt.check()
	if rt.entities == nil || rt.entities.section == nil {
		return
	}
	s := rt.entities.section
	rt.entities.section = nil
	release := history.EntityLockRelease{Parent: rt.InstanceID(), ID: s.id}.Encode()
	for _, id := range s.set {
		rt.sendEntity(id, history.EntityRelease, release)
	}
}

// Locked are the entities whose locks the code holds, in order; nil: none.
func (rt *Runtime) Locked() []history.EntityID {
	rt.check()
	if held := rt.held(); held != nil {
		return slices.Clone(held.set)
	}
	return nil
}

// isAsked reports whether an answer is one that the code waits for.
func (rt *Runtime) isAsked(answer *history.Event) bool {
	return rt.entities != nil && rt.entities.asked[answer.Name] != nil
}

// answered gives the code the answer of an entity.
func (rt *Runtime) answered(e *history.Event) {
	if !rt.isAsked(e) {
		return
	}
	call := rt.entities.asked[e.Name]
	delete(rt.entities.asked, e.Name)
	if call.within != nil {
		delete(call.within.open, call.entity)
	}
	t := rt.instance.actions.forget(call.id)
	if rt.ended || t == nil {
		return
	}
	if rt.places != nil {
		rt.places.last = place{}
	}
	a, err := history.DecodeEntityAnswer(e.Input)
	switch {
	case err != nil:
		t.settle(nil, err)
	case a.Failure != nil:
		t.settle(nil, &Failure{Details: a.Failure})
	default:
		t.settle(a.Result, nil)
	}
	rt.drain()
}

// waits are the entities that the code waits for.
func (n *entities) waits(l *lines) (out []Wait) {
	if n == nil {
		return nil
	}
	for _, a := range n.asked {
		w := Wait{Kind: ForEntity, Name: a.operation, ID: a.id, InstanceID: a.entity.String(), Since: a.since}
		if a.operation == "" {
			w.Name = "lock"
		}
		if x := l.rt.instance.actions.find(a.id); x != nil && x.task != nil {
			w.Place = l.find(x.task.belongsTo())
		}
		out = append(out, w)
	}
	return out
}

// sameEntity compares what a recorded event to an entity and one that the code asks for
// are about.
func sameEntity(recorded, asked *history.Event) bool {
	return !history.IsEntity(recorded.InstanceID) && !history.IsEntity(asked.InstanceID) || recorded.InstanceID == asked.InstanceID
}

// describeEntity says what an event to an entity is.
func describeEntity(e *history.Event) string {
	if e.Name == history.EntityRelease {
		return fmt.Sprintf("the release of the lock of entity '%s'", e.InstanceID)
	}
	r, err := history.DecodeEntityRequest(e.Input)
	switch {
	case err != nil:
		return fmt.Sprintf("a request to entity '%s'", e.InstanceID)
	case r.IsLock():
		return fmt.Sprintf("the lock of entity '%s' and %d others", e.InstanceID, len(r.LockSet)-1)
	case r.Signal:
		return fmt.Sprintf("signal '%s' to entity '%s'", r.Operation, e.InstanceID)
	}
	return fmt.Sprintf("operation '%s' of entity '%s'", r.Operation, e.InstanceID)
}
