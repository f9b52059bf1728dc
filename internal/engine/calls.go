package engine

import (
	"context"
	"strconv"
	"strings"

	"github.com/durable-go/functions/internal/history"
)

// Call says which activity is wanted.
type Call struct {
	Name    string
	Version string
	Input   history.Payload
	Tags    map[string]string
	// Options makes what is recorded with an attempt (the first is 1) for the
	// activity to see; first is the id of the first attempt's action. nil: nothing.
	Options func(attempt int, first int32) history.Payload
	// Retry says what to do about failures. nil: nothing.
	Retry *Retry
	// Step is the closure to run where the name stands for one.
	Step StepFunc
}

// StepFunc is a piece of code of the orchestrator that runs as an activity of
// the process that holds the orchestration. It gets the action, and a key that
// is the same for every run of it. It never panics.
type StepFunc func(ctx context.Context, action *history.Event, idempotencyKey string) (history.Payload, *history.FailureDetails)

// Names of recorded calls that are no activities of the app.
const (
	// StepPrefix begins the name of a Step.
	StepPrefix      = "BuiltIn::Step:"
	sideEffectName  = "BuiltIn::SideEffect"
	patchPrefix     = "BuiltIn::Patch:"
	entityIDPrefix  = "@"
	sameInstanceMsg = "The instance ID of a sub-orchestration must be different than the instance ID of a parent orchestration."
)

// ScheduleActivity asks for an activity.
func (rt *Runtime) ScheduleActivity(name string, input history.Payload, options history.Payload) *Task {
	rt.check()
	if err := rt.refused(history.CheckName("an activity", name)); err != nil {
		return rt.failed(err)
	}
	e := rt.action(history.TaskScheduled)
	e.Name, e.Input = name, input
	e.Own.Options = options
	return rt.ask(e)
}

// CallActivity asks for an activity, with all that can be said about it.
func (rt *Runtime) CallActivity(c *Call) *Task {
	rt.check()
	return rt.call(c)
}

// Asker asks for what the Runtime offers, from outside the coroutine: see Ask.
type Asker struct{ rt *Runtime }

// CallActivity is that of the Runtime.
func (a Asker) CallActivity(c *Call) *Task { return a.rt.call(c) }

// CallChild is that of the Runtime.
func (a Asker) CallChild(c *Child) *Task { return a.rt.callChild(c) }

// Failed is that of the Runtime.
func (a Asker) Failed(err error) *Task { return a.rt.failed(err) }

func (rt *Runtime) call(c *Call) *Task {
	if err := rt.refused(history.CheckStart("an activity", c.Name, c.Version, c.Tags)); err != nil {
		return rt.failed(err)
	}
	if c.Retry == nil {
		return rt.attempt(c, 1, rt.sequence)
	}
	again, first := *c, rt.sequence // what is not repeated costs no memory
	return rt.retrying(c.Retry, func(attempt int) *Task { return rt.attempt(&again, attempt, first) })
}

func (rt *Runtime) attempt(c *Call, n int, first int32) *Task {
	e := rt.action(history.TaskScheduled)
	e.Name, e.Version, e.Input, e.Tags = c.Name, c.Version, c.Input, c.Tags
	if c.Options != nil {
		e.Own.Options = c.Options(n, first)
	}
	t := rt.ask(e)
	if c.Step != nil {
		t.what = c.Step
	}
	return t
}

// Child says which orchestration is to be started as a child.
type Child struct {
	Name    string
	Version string
	// InstanceID is that of the child, over all attempts; empty for the default,
	// "{execution id of the parent}:{id of the action}".
	InstanceID string
	Input      history.Payload
	Tags       map[string]string
	Retry      *Retry
}

// CallChild starts a child; the task ends when the child does.
func (rt *Runtime) CallChild(c *Child) *Task {
	rt.check()
	return rt.callChild(c)
}

func (rt *Runtime) callChild(c *Child) *Task {
	if err := rt.checkChild(c); err != nil {
		return rt.failed(err)
	}
	if rt.held() != nil {
		return rt.failed(broken(ruleChild))
	}
	return rt.retrying(c.Retry, func(int) *Task { return rt.ask(rt.child(c)) })
}

// StartDetached starts an orchestration that is nobody's child and returns its
// instance id.
func (rt *Runtime) StartDetached(c *Child) (string, error) {
	rt.check()
	if err := rt.checkChild(c); err != nil {
		return "", err
	}
	e := rt.child(c)
	tags := map[string]string{history.FireAndForget: ""}
	for k, v := range c.Tags {
		tags[k] = v
	}
	e.Tags = tags
	t := rt.ask(e)
	rt.instance.actions.forget(t.id)
	return e.InstanceID, nil
}

func (rt *Runtime) child(c *Child) *history.Event {
	id := c.InstanceID
	if id == "" {
		id = rt.instance.started.Instance.ExecutionID + ":" + strconv.Itoa(int(rt.sequence))
	}
	e := rt.action(history.SubOrchestrationInstanceCreated)
	e.Name, e.Version, e.InstanceID, e.Input, e.Tags = c.Name, c.Version, id, c.Input, c.Tags
	return e
}

// refused is the failure of a call whose arguments a history cannot hold; nil
// where they are right. Executions that an earlier engine began, which did not
// look, go on as they did there.
func (rt *Runtime) refused(err error) error {
	if err == nil || rt.instance.semantics < checkedArguments {
		return nil
	}
	return rule("InvalidCall", err)
}

func (rt *Runtime) checkChild(c *Child) error {
	err := history.CheckStart("an orchestrator", c.Name, c.Version, c.Tags)
	if err == nil && c.InstanceID != "" && !strings.HasPrefix(c.InstanceID, entityIDPrefix) {
		err = history.CheckInstanceID(c.InstanceID)
	}
	if err = rt.refused(err); err != nil {
		return err
	}
	return rt.childID(c.InstanceID)
}

// childID checks the id that the code gives a child.
func (rt *Runtime) childID(id string) error {
	parent := rt.instance.started.Parent
	switch {
	case id == "":
		return nil
	case id == rt.InstanceID(), parent != nil && id == parent.Instance.InstanceID:
		return rule("InvalidCall", &misuse{sameInstanceMsg})
	case strings.HasPrefix(id, entityIDPrefix):
		return rule("InvalidCall", &misuse{"the instance id of a sub-orchestration must not begin with @: that is an entity"})
	}
	return nil
}

// SendEvent raises an event for another instance; whether that exists is not
// reported. The error says which argument is wrong.
func (rt *Runtime) SendEvent(instanceID, name string, input history.Payload) error {
	rt.check()
	err := history.CheckName("an event", name)
	if err == nil && !strings.HasPrefix(instanceID, entityIDPrefix) {
		err = history.CheckInstanceID(instanceID)
	}
	if err := rt.refused(err); err != nil {
		return err
	}
	t := rt.ask(&history.Event{Type: history.EventSent, InstanceID: instanceID, Name: name, Input: input})
	rt.instance.actions.forget(t.id)
	return nil
}
