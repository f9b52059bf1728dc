package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/worker"
)

// Sim runs orchestrations in memory for the examples and tests of this package:
// no storage, no goroutines, a clock that jumps to the next thing that is due.
// Every turn is run on a new replay of the history as well.
type Sim struct {
	registry  *registry
	now       time.Time
	instances map[string]*simInstance
	order     []*simInstance
	due       []simDue
}

type simInstance struct {
	id        string
	execution int
	engine    *engine.Instance
	stored    []*history.Event
	inbox     []*history.Event
	begun     map[int32]bool
	custom    history.Payload
}

type simDue struct {
	at   time.Time
	to   string
	what func() *history.Event
}

// NewSim makes a simulation of an app. Mistakes of the registrations panic.
func NewSim(functions ...Registration) *Sim {
	s := &Sim{registry: newRegistry(), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), instances: map[string]*simInstance{}}
	for _, f := range functions {
		if err := f.register(s.registry); err != nil {
			panic(err)
		}
	}
	return s
}

// Start starts an orchestrator.
func (s *Sim) Start(id, name string, input any) {
	p, err := s.registry.encode(input)
	if err != nil {
		panic(err)
	}
	s.start(id, &history.Event{Name: name, Input: p})
}

func (s *Sim) start(id string, e *history.Event) {
	e.Type, e.ID, e.Timestamp = history.ExecutionStarted, history.NoID, s.now
	e.Instance = history.InstanceRef{InstanceID: id, ExecutionID: id + "-x1"}
	in := &simInstance{id: id, execution: 1, begun: map[int32]bool{}, inbox: []*history.Event{e}}
	in.engine = s.newEngine(id)
	s.instances[id] = in
	s.order = append(s.order, in)
}

func (s *Sim) newEngine(id string) *engine.Instance {
	return engine.New(engine.Options{InstanceID: id, Program: s.registry.program, MaxActions: 1000, Strict: true})
}

// Post gives an instance an event after a while.
func (s *Sim) Post(after time.Duration, id string, e history.Event) {
	s.due = append(s.due, simDue{s.now.Add(after), id, func() *history.Event {
		e.ID, e.Timestamp = history.NoID, s.now
		return &e
	}})
}

// Raise raises an external event after a while.
func (s *Sim) Raise(after time.Duration, id, name string, data any) {
	p, err := s.registry.encode(data)
	if err != nil {
		panic(err)
	}
	s.Post(after, id, history.Event{Type: history.EventRaised, Name: name, Input: p})
}

// Run goes on until nothing is left to do.
func (s *Sim) Run() {
	for s.turns() || s.jump() {
	}
	for _, in := range s.order {
		in.engine.Close()
	}
}

func (s *Sim) turns() (any bool) {
	for _, in := range s.order {
		if len(in.inbox) == 0 {
			continue
		}
		any = true
		events := in.inbox
		in.inbox = nil
		s.turn(in, events)
	}
	return any
}

func (s *Sim) turn(in *simInstance, events []*history.Event) {
	t, err := in.engine.Turn(s.now, events)
	if err != nil {
		panic(err)
	}
	in.stored = append(in.stored, t.Events...)
	if t.CustomStatusChanged {
		in.custom = t.CustomStatus
	}
	switch {
	case in.engine.Next() != nil:
		next := in.engine.Next()
		in.execution++
		in.engine, in.stored, in.begun = s.newEngine(in.id), nil, map[int32]bool{}
		in.inbox = next.Events(in.id+"-x"+strconv.Itoa(in.execution), s.now)
		return
	case in.engine.Outcome() == nil && len(t.Events) > 0:
		s.reload(in)
	}
	s.dispatch(in)
	s.answerParent(in)
}

// reload goes on with a replay.
func (s *Sim) reload(in *simInstance) {
	in.engine.Close()
	in.engine = s.newEngine(in.id)
	if err := in.engine.Load(in.stored); err != nil {
		panic(err)
	}
}

func (s *Sim) dispatch(in *simInstance) {
	for _, e := range append(in.engine.Outstanding(), in.engine.OneWay()...) {
		if in.begun[e.ID] {
			continue
		}
		in.begun[e.ID] = true
		switch e.Type {
		case history.TaskScheduled:
			s.due = append(s.due, simDue{s.now, in.id, func() *history.Event { return s.call(in, e) }})
		case history.TimerCreated:
			s.due = append(s.due, simDue{e.FireAt, in.id, func() *history.Event {
				return &history.Event{Type: history.TimerFired, ID: history.NoID, TaskID: e.ID, FireAt: e.FireAt}
			}})
		case history.EventSent:
			s.Post(0, e.InstanceID, history.Event{Type: history.EventRaised, Name: e.Name, Input: e.Input})
		case history.SubOrchestrationInstanceCreated:
			child := &history.Event{Name: e.Name, Version: e.Version, Input: e.Input, Tags: e.Tags}
			if !engine.Detached(e) {
				child.Parent = &history.Parent{Name: in.engine.Started().Name, Instance: in.engine.Started().Instance, TaskID: e.ID}
			}
			s.start(e.InstanceID, child)
		}
	}
}

func (s *Sim) call(in *simInstance, e *history.Event) *history.Event {
	done := &history.Event{Type: history.TaskCompleted, ID: history.NoID, TaskID: e.ID}
	key := in.engine.Started().Instance.ExecutionID + ":" + strconv.Itoa(int(e.ID))
	if step := in.engine.Step(e.ID); step != nil {
		done.Result, done.Failure = step(context.Background(), e, key)
	} else if run, err := s.registry.activity(e.Name); err != nil {
		done.Failure = &history.FailureDetails{ErrorType: "UnknownActivity", ErrorMessage: err.Error(), NonRetriable: true}
	} else {
		done.Result, done.Failure = run(context.Background(), &worker.Activity{
			Name: e.Name, InstanceID: in.id, TaskID: e.ID, Input: e.Input, Options: e.Own.Options, Tags: e.Tags, IdempotencyKey: key,
		})
	}
	if done.Failure != nil {
		done.Type = history.TaskFailed
	}
	return done
}

func (s *Sim) answerParent(in *simInstance) {
	end := in.engine.Outcome()
	if end == nil || in.engine.Started().Parent == nil {
		return
	}
	parent := in.engine.Started().Parent
	e := history.Event{Type: history.SubOrchestrationInstanceCompleted, TaskID: parent.TaskID, Result: end.Result}
	if end.Status != history.Completed {
		e.Type, e.Result, e.Failure = history.SubOrchestrationInstanceFailed, nil, end.Failure
	}
	s.Post(0, parent.Instance.InstanceID, e)
}

// jump moves the clock to the next thing that is due and lets it happen.
func (s *Sim) jump() bool {
	if len(s.due) == 0 {
		return false
	}
	sort.SliceStable(s.due, func(i, j int) bool { return s.due[i].at.Before(s.due[j].at) })
	next := s.due[0]
	s.due = s.due[1:]
	if next.at.After(s.now) {
		s.now = next.at
	}
	if in := s.instances[next.to]; in != nil && in.engine.Outcome() == nil {
		in.inbox = append(in.inbox, next.what())
	}
	return true
}

// Elapsed is how far the clock has gone.
func (s *Sim) Elapsed() time.Duration {
	return s.now.Sub(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
}

// CustomStatus is that of an instance.
func (s *Sim) CustomStatus(id string) string { return string(s.instances[id].custom) }

// Executions is how often an instance has begun anew.
func (s *Sim) Executions(id string) int { return s.instances[id].execution }

// Result decodes how an instance ended.
func (s *Sim) Result(id string, into any) error {
	in := s.instances[id]
	switch end := in.engine.Outcome(); {
	case end == nil:
		return fmt.Errorf("%s is still running: %v", id, in.engine.Outstanding())
	case end.Status != history.Completed:
		return errors.New(end.Status.String() + ": " + string(end.Result))
	case end.Result == nil:
		return nil
	default:
		return json.Unmarshal(end.Result, into)
	}
}

// UseSerializer is App.UseSerializer; nil is JSON.
func (s *Sim) UseSerializer(with Serializer) { s.registry.serializer = with }

// Output is the result of an instance as it is stored.
func (s *Sim) Output(id string) string {
	if end := s.instances[id].engine.Outcome(); end != nil {
		return string(end.Result)
	}
	return ""
}
