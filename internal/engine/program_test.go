package engine_test

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
)

// script is an orchestrator in the small language of the scenarios, one
// statement a line:
//
//	x = call NAME [INPUT] [retry ATTEMPTS FIRST BACKOFF]   an activity
//	x = timer DURATION
//	x = event NAME [within DURATION]
//	x = child NAME [INPUT] [id ID]
//	x = go BRANCH                  a branch: another script
//	x = side                       1, 2, 3 ...: differs at every run
//	x = guid
//	await x                        fails the script when x fails
//	try x                          x becomes the result or "error: ..."
//	any x y ...                    winner becomes the name of the first
//	order x y ...                  order becomes the names as they end
//	poll NAME                      polled becomes the event that is there, or none
//	cancel x
//	status TEXT / send INSTANCE NAME DATA / detach NAME INPUT [id ID]
//	patched NAME STATEMENT / unpatched NAME STATEMENT
//	return TEXT / fail TEXT / panic TEXT / continue TEXT ($x is x's value)
type script struct {
	main     []string
	branches map[string][]string
	sides    int
}

func (s *script) program(rt *engine.Runtime, input history.Payload) (history.Payload, error) {
	r := &running{script: s, rt: rt, tasks: map[string]*engine.Task{}, values: map[string]string{"input": string(input)}}
	out, _, err := r.run(s.main)
	if out == nil {
		return nil, err
	}
	return history.Payload(*out), err
}

// running is one run of a script. Its branches share it.
type running struct {
	script *script
	rt     *engine.Runtime
	tasks  map[string]*engine.Task
	values map[string]string
}

func (r *running) run(lines []string) (out *string, returned bool, err error) {
	for _, line := range lines {
		if out, returned, err = r.statement(line); returned || err != nil {
			return out, true, err
		}
	}
	return nil, false, nil
}

var variable = regexp.MustCompile(`\$\w+`)

func (r *running) expand(text string) string {
	return variable.ReplaceAllStringFunc(text, func(name string) string { return r.values[name[1:]] })
}

func (r *running) statement(line string) (out *string, returned bool, err error) {
	if name, asked, ok := strings.Cut(line, " = "); ok && !strings.Contains(name, " ") {
		r.assign(name, strings.Fields(r.expand(asked)))
		return nil, false, nil
	}
	verb, rest, _ := strings.Cut(r.expand(line), " ")
	args := strings.Fields(rest)
	switch verb {
	case "await":
		for _, name := range args {
			if err := r.await(name); err != nil {
				return nil, true, err
			}
		}
	case "try":
		if err := r.await(rest); err != nil {
			r.values[rest] = "error: " + err.Error()
		}
	case "any", "order":
		r.values[map[string]string{"any": "winner", "order": "order"}[verb]] = r.race(verb, args)
	case "poll":
		r.values["polled"] = "none"
		if p, ok := r.rt.TakeEvent(rest); ok {
			r.values["polled"] = string(p)
		}
	case "cancel":
		r.values["cancelled"] = strconv.FormatBool(r.tasks[rest].Cancel())
	case "patched", "unpatched":
		name, then, _ := strings.Cut(rest, " ")
		if r.rt.Patched(name) == (verb == "patched") {
			return r.statement(then)
		}
	case "panic":
		panic(rest)
	case "return":
		return &rest, true, nil
	case "fail":
		return nil, true, errors.New(rest)
	case "continue":
		return nil, true, &engine.ContinueAsNew{Input: history.Payload(rest)}
	default:
		r.oneWay(verb, args)
	}
	return nil, false, nil
}

func (r *running) oneWay(verb string, args []string) {
	switch verb {
	case "status":
		r.rt.SetCustomStatus(history.Payload(strings.Join(args, " ")))
	case "send":
		r.rt.SendEvent(args[0], args[1], history.Payload(args[2]))
	case "detach":
		id, err := r.rt.StartDetached(child(args))
		r.values["detached"] = id
		if err != nil {
			r.values["detached"] = "error: " + err.Error()
		}
	default:
		panic("no statement " + verb)
	}
}

func (r *running) await(name string) error {
	result, err := r.tasks[name].Await()
	if r.values[name] == "" {
		r.values[name] = string(result)
	}
	return err
}

func (r *running) race(verb string, names []string) string {
	byTask := map[*engine.Task]string{}
	var list []*engine.Task
	for _, name := range names {
		byTask[r.tasks[name]] = name
		list = append(list, r.tasks[name])
	}
	g := r.rt.Group(list...)
	defer g.Close()
	if verb == "any" {
		return byTask[g.Next()]
	}
	var order []string
	for t := g.Next(); t != nil; t = g.Next() {
		order = append(order, byTask[t])
	}
	return strings.Join(order, ",")
}

func (r *running) assign(name string, words []string) {
	switch words[0] {
	case "call":
		r.tasks[name] = r.rt.CallActivity(call(words[1:]))
	case "timer":
		r.tasks[name] = r.rt.Timer(r.rt.Now().Add(duration(words[1])))
	case "event":
		if len(words) == 4 {
			r.tasks[name] = r.rt.WaitEventUntil(words[1], r.rt.Now().Add(duration(words[3])))
			return
		}
		r.tasks[name] = r.rt.WaitEvent(words[1])
	case "child":
		r.tasks[name] = r.rt.CallChild(child(words[1:]))
	case "go":
		r.tasks[name] = r.rt.Go(func() error {
			out, _, err := r.run(r.script.branches[words[1]])
			if out != nil {
				r.values[name] = *out
			}
			return err
		})
	case "side":
		p, err := r.rt.SideEffect(func() { r.script.sides++ }, func() (history.Payload, error) {
			return history.Payload(strconv.Itoa(r.script.sides)), nil
		})
		r.values[name] = string(p)
		if err != nil {
			panic(err)
		}
	case "guid":
		r.values[name] = r.rt.NewGUID()
	default:
		panic("no expression " + words[0])
	}
}

func call(words []string) *engine.Call {
	c := &engine.Call{Name: words[0]}
	if len(words) > 1 && words[1] != "retry" {
		c.Input = history.Payload(words[1])
	}
	for n, word := range words {
		if word == "retry" {
			attempts, _ := strconv.Atoi(words[n+1])
			backoff, _ := strconv.ParseFloat(words[n+3], 64)
			c.Retry = &engine.Retry{MaxAttempts: attempts, First: duration(words[n+2]), Backoff: backoff, Timeout: time.Hour, Decide: decide}
			c.Options = func(attempt int, _ int32) history.Payload { return history.Payload(fmt.Sprintf("attempt %d", attempt)) }
		}
	}
	return c
}

// decide retries unless the failure says how it wants to be treated.
func decide(failure *engine.Failure, _ int) (bool, time.Duration) {
	switch failure.Details.ErrorMessage {
	case "give up":
		return false, 0
	case "come in 7s":
		return true, 7 * time.Second
	case "panic":
		panic("in the handler")
	}
	return true, 0
}

func child(words []string) *engine.Child {
	c := &engine.Child{Name: words[0]}
	if len(words) > 1 && words[1] != "id" {
		c.Input = history.Payload(words[1])
	}
	if len(words) > 2 && words[len(words)-2] == "id" {
		c.InstanceID = words[len(words)-1]
	}
	return c
}

func duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	return d
}
