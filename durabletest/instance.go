package durabletest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// Instance is an orchestration in an environment whose result is an Out.
type Instance[Out any] struct {
	// ID is the instance id.
	ID  string
	env *Env
	// run knows how to read the result; nil for an instance that was found.
	run *durable.Instance[Out]
}

// Start starts an orchestrator. A start that is refused ends the test; one that
// should be refused is for Env.Client.
func Start[In, Out any](env *Env, o *durable.Orchestrator[In, Out], in In, options ...durable.StartOption) *Instance[Out] {
	env.t.Helper()
	run, err := o.Start(env.context(), env.client, in, options...)
	if err != nil {
		env.fatal("%v", err)
	}
	return &Instance[Out]{ID: run.ID, env: env, run: run}
}

// Find is an instance that something else started, such as a child. Its result
// is read as JSON, whatever the app's serializer is.
func Find[Out any](env *Env, id string) *Instance[Out] { return &Instance[Out]{ID: id, env: env} }

func (e *Env) context() context.Context { return e.t.Context() }

// Result moves the clock until the orchestration has finished and returns its
// result. One that failed or was terminated is a *durable.OrchestrationError.
// An orchestration that waits for what will not come ends the test.
func (i *Instance[Out]) Result() (out Out, err error) {
	i.env.t.Helper()
	var s *durable.Status
	if !i.env.until(func() bool { s = i.Status(); return finished(s) }) {
		i.env.fatal("%s", i.stuck(s))
	}
	if i.run != nil {
		return i.run.Result(i.env.context())
	}
	if s.RuntimeStatus != durable.StatusCompleted {
		if s, err = i.env.client.Status(i.env.context(), i.ID, durable.WithFailure()); err != nil {
			return out, err
		}
		return out, s.Failure
	}
	if s.Output == nil {
		return out, nil
	}
	if err := json.Unmarshal(s.Output, &out); err != nil {
		return out, fmt.Errorf("the result of instance %s (%s) is no %T: %w", i.ID, s.Name, out, err)
	}
	return out, nil
}

func finished(s *durable.Status) bool {
	return s.Finished()
}

// stuck says why an orchestration does not finish.
func (i *Instance[Out]) stuck(s *durable.Status) string {
	text := "instance " + i.ID + " (" + s.Name + ") does not finish: it is " + s.RuntimeStatus
	if parked := i.Parked(); parked != nil {
		return text + " and parked: " + parked.Error()
	}
	return text + ", and no timer, activity, child or message is left that could bring it on; does it wait for an event? Its history:\n" + i.History().String()
}

// Status is what clients see of the orchestration.
func (i *Instance[Out]) Status() *durable.Status {
	i.env.t.Helper()
	s, err := i.env.client.Status(i.env.context(), i.ID)
	if err != nil {
		i.env.fatal("instance %s: %v", i.ID, err)
	}
	return s
}

// CustomStatus is the custom status as JSON; empty when there is none.
func (i *Instance[Out]) CustomStatus() string {
	i.env.t.Helper()
	return string(i.Status().CustomStatus)
}

// Parked says why the engine has stopped working on the orchestration: its code
// does not fit its history. nil when it has not.
func (i *Instance[Out]) Parked() error {
	row, err := i.env.store.Instance(i.env.context(), i.ID)
	if err != nil || row.Parked == "" {
		return err
	}
	text, differs := strings.CutSuffix(row.Parked, engine.ChangeHint)
	if differs {
		text += sameCodeHint
	}
	return errors.New(text)
}

// Timers are the times at which the orchestration's open timers fire, the first
// one first. One that has finished has none.
func (i *Instance[Out]) Timers() []time.Time {
	i.env.t.Helper()
	i.env.Wait()
	if finished(i.Status()) {
		return nil
	}
	var out []time.Time
	for _, m := range i.env.hub.Messages(taskhub.ControlQueue(i.env.app.Hub)) {
		if m.Event.Type == history.TimerFired && m.Target.InstanceID == i.ID {
			out = append(out, m.Event.FireAt)
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}

// RaiseEvent sends an external event. A RaiseEvent that is refused, as that of an
// instance that has finished, ends the test, and so do the methods below; what
// should be refused is for Env.Client, and so is an event whose type the compiler
// checks: [durable.Event.Raise].
func (i *Instance[Out]) RaiseEvent(event string, data any) {
	i.env.t.Helper()
	i.did(i.env.client.RaiseEvent(i.env.context(), i.ID, event, data))
}

// Terminate ends the orchestration for good.
func (i *Instance[Out]) Terminate(reason string) {
	i.env.t.Helper()
	i.did(i.env.client.Terminate(i.env.context(), i.ID, reason))
}

// Suspend stops the orchestration until it is resumed. What comes in the
// meantime is kept.
func (i *Instance[Out]) Suspend(reason string) {
	i.env.t.Helper()
	i.did(i.env.client.Suspend(i.env.context(), i.ID, reason))
}

// Resume lets a suspended orchestration go on.
func (i *Instance[Out]) Resume(reason string) {
	i.env.t.Helper()
	i.did(i.env.client.Resume(i.env.context(), i.ID, reason))
}

// Rewind makes a failed orchestration try again what had failed.
func (i *Instance[Out]) Rewind(reason string) {
	i.env.t.Helper()
	i.did(i.env.client.Rewind(i.env.context(), i.ID, reason))
}

// did lets happen what an operation brings about.
func (i *Instance[Out]) did(err error) {
	i.env.t.Helper()
	if errors.Is(err, durable.ErrFinished) {
		s := i.Status()
		i.env.fatal("%v: %s %s", err, s.RuntimeStatus, s.Output)
	}
	if err != nil {
		i.env.fatal("%v", err)
	}
	i.env.Wait()
}
