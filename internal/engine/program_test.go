package engine_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/engine/enginetest"
	"github.com/durable-go/functions/internal/history"
)

// script is an orchestrator in the small language of the scenarios, one
// statement a line:
//
//	x = call NAME [INPUT] [retry ATTEMPTS FIRST BACKOFF [max=D] [jitter=J]] [tag=K:V] [version=V]
//	x = step NAME [retry ...]      a closure of this process
//	x = timer DURATION
//	x = event NAME [within DURATION]
//	x = child NAME [INPUT] [retry ...] [tag=K:V] [version=V] [id ID]
//	x = go BRANCH                  a branch: another script
//	x = side                       1, 2, 3 ...: differs at every run
//	x = guid / x = now / x = version
//	await x                        fails the script when x fails
//	try x                          x becomes the result or "error: ..."
//	any x y ...                    winner becomes the name of the first
//	order x y ...                  order becomes the names as they end
//	poll NAME                      polled becomes the event that is there, or none
//	cancel x                       a timer or an event; cancelled becomes true or false
//	done x                         done becomes true or false
//	status TEXT / send INSTANCE NAME DATA / detach NAME INPUT [id ID]
//	patched NAME STATEMENT / unpatched NAME STATEMENT
//	times N STATEMENT              does it N times
//	return TEXT / fail TEXT / panic TEXT ($x is x's value)
//	continue [version=V] [drop] TEXT
type script struct {
	*enginetest.Code
	main     []string
	branches map[string][]string
}

// scripts is the language of scripts. Words: strict, max=N.
func scripts(words, lines []string, branches map[string][]string) (*enginetest.Code, error) {
	s := &script{Code: &enginetest.Code{MaxActions: 1000, Strict: slices.Contains(words, "strict")}, main: lines, branches: branches}
	if limit := option(words, "max"); limit != "" {
		s.MaxActions, _ = strconv.Atoi(limit)
	}
	s.Program = func(name, _ string) (engine.Program, error) {
		if name != "O" {
			return nil, fmt.Errorf("no orchestrator %s", name)
		}
		return s.program, nil
	}
	return s.Code, nil
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
	case "done":
		r.values["done"] = strconv.FormatBool(r.tasks[rest].Done())
	case "cancel":
		r.values["cancelled"] = strconv.FormatBool(r.tasks[rest].Cancel())
	case "patched", "unpatched":
		name, then, _ := strings.Cut(rest, " ")
		if r.rt.Patched(name) == (verb == "patched") {
			return r.statement(then)
		}
	case "times":
		count, then, _ := strings.Cut(rest, " ")
		n, _ := strconv.Atoi(count)
		for range n {
			if out, returned, err = r.statement(then); returned {
				break
			}
		}
		return out, returned, err
	case "panic":
		panic(rest)
	case "return":
		return &rest, true, nil
	case "fail":
		return nil, true, errors.New(rest)
	case "continue":
		return nil, true, continuation(args)
	default:
		r.oneWay(verb, args)
	}
	return nil, false, nil
}

func continuation(words []string) *engine.ContinueAsNew {
	c := &engine.ContinueAsNew{DropEvents: slices.Contains(words, "drop")}
	if v := option(words, "version"); v != "" {
		c.Version = &v
	}
	words = slices.DeleteFunc(words, func(w string) bool { return w == "drop" || strings.HasPrefix(w, "version=") })
	c.Input = history.Payload(strings.Join(words, " "))
	return c
}

func (r *running) oneWay(verb string, args []string) {
	switch verb {
	case "status":
		r.rt.SetCustomStatus(history.Payload(strings.Join(args, " ")))
	case "send":
		r.values["sent"] = "sent"
		if err := r.rt.SendEvent(args[0], args[1], history.Payload(args[2])); err != nil {
			r.values["sent"] = "error: " + err.Error()
		}
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
		p, err := r.rt.SideEffect(func() { r.script.Sides++ }, func() (history.Payload, error) {
			return history.Payload(strconv.Itoa(r.script.Sides)), nil
		})
		r.values[name] = string(p)
		if err != nil {
			panic(err)
		}
	case "guid":
		r.values[name] = r.rt.NewGUID()
	case "now":
		r.values[name] = "+" + r.rt.Now().Sub(enginetest.Epoch).String()
	case "version":
		r.values[name] = r.rt.Started().Version
	case "step":
		c := call(words[1:])
		c.Name = engine.StepPrefix + c.Name
		c.Step = func(context.Context, *history.Event, string) (history.Payload, *history.FailureDetails) {
			return nil, nil
		}
		r.tasks[name] = r.rt.CallActivity(c)
	default:
		panic("no expression " + words[0])
	}
}
