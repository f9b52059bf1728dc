package program

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/durable-go/functions/durable"
)

// Program is the orchestrator that runs the steps of its input. Its output is
// the list of what they gave.
var Program = durable.DeclareOrchestrator[Input, []Value]("Program")

// player is one run of a program.
type player struct {
	ctx *durable.Context
	// results are those of the program itself. Lanes, children and the steps
	// within a step have results of their own.
	results []Value
}

func run(ctx *durable.Context, in Input) ([]Value, error) {
	p := &player{ctx: ctx, results: append([]Value{}, in.Results...)} // an empty list is not null
	if err := p.play(in.Steps, &p.results); err != nil {
		return nil, err
	}
	return p.results, nil
}

// play runs steps one after the other and adds what they give to a list.
func (p *player) play(steps []Step, into *[]Value) error {
	for i, s := range steps {
		v, err := p.step(s, steps[i+1:])
		if err != nil {
			return err
		}
		if !s.Quiet {
			*into = append(*into, v)
		}
	}
	return nil
}

// step runs one step; rest are those after it.
func (p *player) step(s Step, rest []Step) (Value, error) {
	switch s.Do {
	case "call":
		return durable.CallActivity[Value](p.ctx, s.Activity, s.Input, activityOptions(s)...).Await()
	case "child":
		return p.child(s)
	case "timer":
		return encode("timer"), p.ctx.Sleep(milliseconds(s.MS))
	case "wait":
		return p.wait(s)
	case "all":
		return p.all(s.Of)
	case "any":
		return p.any(s.Of)
	case "try":
		return p.try(s.Steps, s.Catch)
	case "throw":
		return nil, errors.New(s.Message)
	case "status":
		p.ctx.SetCustomStatus(s.Value)
		return nil, nil
	case "continue":
		return p.continueAsNew(s)
	case "loop":
		return p.loop(s, rest)
	case "repeat":
		return p.repeat(s)
	case "send":
		return nil, p.ctx.SendEvent(s.To, s.Event, s.Data)
	case "ask":
		return p.ask(s)
	case "signal":
		return nil, Forward{Entity: s.Entity, Op: s.Op, Input: s.Input, AfterMS: s.AfterMS}.send(p.ctx)
	case "lock":
		return p.lock(s)
	case "locked":
		return p.locked(), nil
	case "guids":
		different := map[string]bool{p.ctx.NewGUID(): true, p.ctx.NewGUID(): true, p.ctx.NewGUID(): true}
		return encode(len(different)), nil
	case "parent":
		parent, ok := p.ctx.Parent()
		if !ok {
			return nil, nil
		}
		return encode(parent.InstanceID), nil
	case "replaying":
		return encode(p.ctx.IsReplaying()), nil
	case "value":
		return s.Value, nil
	default:
		return nil, fmt.Errorf("unknown step %q", s.Do)
	}
}

func (p *player) child(s Step) (Value, error) {
	var options []durable.ChildOption
	if s.ID != "" {
		options = append(options, durable.WithInstanceID(p.ctx.InstanceID()+s.ID))
	}
	if s.Attempts > 0 {
		options = append(options, durable.WithRetry(policy(s)))
	}
	name := s.Name
	if name == "" {
		name = Program.Name()
	}
	return durable.CallOrchestrator[Value](p.ctx, name, Input{Steps: s.Steps}, options...).Await()
}

func (p *player) wait(s Step) (Value, error) {
	var options []durable.EventOption
	if s.TimeoutMS != nil {
		options = append(options, durable.WithTimeout(milliseconds(*s.TimeoutMS)))
	}
	data, err := durable.WaitForEvent[Value](p.ctx, s.Event, options...).Await()
	if errors.Is(err, durable.ErrTimeout) {
		return encode("timeout"), nil
	}
	return data, err
}

// all runs lanes at the same time. One that fails has its error as its last
// result.
func (p *player) all(lanes [][]Step) (Value, error) {
	tasks := make([]*durable.Task[Value], len(lanes))
	for i, steps := range lanes {
		tasks[i] = durable.Go(p.ctx, func(*durable.Context) (Value, error) { return p.try(steps, nil) })
	}
	results, err := durable.All(tasks...)
	return encode(results), err
}

// winner is what any gives: the first lane that ended, and its results.
type winner struct {
	First int   `json:"first"`
	Value Value `json:"value"`
}

func (p *player) any(lanes [][]Step) (Value, error) {
	tasks := make([]*durable.Task[[]Value], len(lanes))
	for i, steps := range lanes {
		tasks[i] = durable.Go(p.ctx, func(*durable.Context) ([]Value, error) {
			results := []Value{}
			err := p.play(steps, &results)
			return results, err
		})
	}
	for i, task := range durable.AsCompleted(tasks...) {
		results, err := task.Await()
		return encode(winner{i, encode(results)}), err
	}
	return nil, errors.New("any of nothing")
}

// try gives what the steps gave, and after a failure its message and what
// otherwise gives. Continuing as new is no failure.
func (p *player) try(steps, otherwise []Step) (Value, error) {
	results := []Value{}
	err := p.play(steps, &results)
	if durable.IsContinueAsNew(err) {
		return nil, err
	}
	if err != nil {
		results = append(results, encode(map[string]string{"error": message(err)}))
		err = p.play(otherwise, &results)
	}
	return encode(results), err
}

func (p *player) repeat(s Step) (Value, error) {
	results := []Value{}
	for range s.N {
		if err := p.play(s.Steps, &results); err != nil {
			return nil, err
		}
	}
	return encode(results), nil
}

func (p *player) continueAsNew(s Step) (Value, error) {
	next := Input{Steps: s.Steps, Results: p.results}
	if s.Keep != nil && !*s.Keep {
		next.Results = nil
	}
	var options []durable.ContinueOption
	if s.PreserveEvents != nil && !*s.PreserveEvents {
		options = append(options, durable.WithoutPendingEvents())
	}
	return nil, p.ctx.ContinueAsNew(next, options...)
}

// loop runs its steps as those of the program, and then continues as new with
// one round less and the steps after it.
func (p *player) loop(s Step, rest []Step) (Value, error) {
	if err := p.play(s.Steps, &p.results); err != nil {
		return nil, err
	}
	if s.N <= 1 {
		return encode("done"), nil
	}
	s.N--
	return nil, p.ctx.ContinueAsNew(Input{Steps: append([]Step{s}, rest...), Results: p.results})
}

func activityOptions(s Step) []durable.ActivityOption {
	if s.Attempts == 0 {
		return nil
	}
	return []durable.ActivityOption{durable.WithRetry(policy(s))}
}

func policy(s Step) durable.RetryPolicy {
	first := 1000
	if s.FirstMS > 0 {
		first = s.FirstMS
	}
	return durable.RetryPolicy{MaxAttempts: s.Attempts, FirstInterval: milliseconds(first), Backoff: s.Coefficient}
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// message is what the code that failed said, without what calls put around it.
func message(err error) string {
	for {
		var failed *durable.TaskError
		if !errors.As(err, &failed) {
			return err.Error()
		}
		if failed.Cause == nil {
			return failed.Message
		}
		err = failed.Cause
	}
}

// encode is for values that always encode.
func encode(v any) Value {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}
