package durable

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/engine/enginetest"
)

var rewrite = flag.Bool("rewrite", false, "write what came out into testdata/*.txt")

// TestScenarios plays testdata/*.txt: what the engine makes of code that uses
// this package.
func TestScenarios(t *testing.T) {
	enginetest.Play(t, enginetest.Options{Language: statements, Rewrite: *rewrite})
}

// statements is the language of the scenarios, a statement a line:
//
//	x = call NAME [JSON] / child NAME [JSON] / detach NAME [JSON]
//	x = step NAME / timer DURATION / event NAME / go BRANCH
//	x = http METHOD URL [nopolling]
//	x = rand / side / now / patched NAME / received NAME / version
//	x = map NAME JSON,JSON...
//	x = all y z / first y z / settled y z / completed y z / group BRANCH BRANCH
//	x = any y z / select y z    the name of the task that was first
//	await x                     fails the orchestrator when x fails
//	try x                       $x becomes the result, or "error: ..."
//	cancel x / status TEXT / send INSTANCE NAME JSON
//	return TEXT / fail TEXT / continue JSON    ($x is x's value)
//
// Options follow as words: retry=ATTEMPTS,FIRST,BACKOFF timeout=D heartbeat=D
// tag=K:V id=ID version=V max=N drop. The word after "program" are settings.
func statements(words, lines []string, branches map[string][]string) (*enginetest.Code, error) {
	s, _, err := parseSettings([]byte(strings.Join(words, "")))
	if err != nil {
		return nil, err
	}
	r := newRegistry()
	r.apply(s)
	if err := scripted("O", lines, branches).register(r); err != nil {
		return nil, err
	}
	return &enginetest.Code{Program: r.program, Strict: s.StrictReplay, MaxActions: s.MaxActions}, nil
}

// scripted is an orchestrator of statements.
func scripted(name string, lines []string, branches map[string][]string) *Orchestrator[json.RawMessage, any] {
	return NewOrchestrator(name, func(ctx *Context, in json.RawMessage) (any, error) {
		s := &scenario{ctx: ctx, branches: branches, tasks: map[string]Awaitable{}, values: map[string]string{"input": string(in)}}
		out, _, err := s.run(lines)
		return out, err
	})
}

// sides counts the side effects.
var sides atomic.Int64

var variable = regexp.MustCompile(`\$\w+`)

// scenario is one run of statements. Branches share it.
type scenario struct {
	ctx      *Context
	branches map[string][]string
	tasks    map[string]Awaitable
	values   map[string]string
}

func (s *scenario) run(lines []string) (out any, ended bool, err error) {
	for _, line := range lines {
		line = variable.ReplaceAllStringFunc(line, func(name string) string { return s.values[name[1:]] })
		name, asked, ok := strings.Cut(line, " = ")
		if ok {
			if err := s.assign(name, newWords(asked)); err != nil {
				return nil, true, err
			}
			continue
		}
		if out, ended, err := s.do(newWords(line)); ended || err != nil {
			return out, true, err
		}
	}
	return nil, false, nil
}

func (s *scenario) do(w *words) (out any, ended bool, err error) {
	switch w.verb {
	case "await":
		for _, name := range w.args {
			if err := s.await(name); err != nil {
				return nil, true, err
			}
		}
	case "try":
		for _, name := range w.args {
			if err := s.await(name); err != nil {
				s.values[name] = oneLine(err)
			}
		}
	case "cancel":
		s.values["cancelled"] = strconv.FormatBool(s.tasks[w.args[0]].(*Timer).Cancel())
	case "status":
		s.ctx.SetCustomStatus(strings.Repeat(w.args[0], max(1, w.n)))
	case "send":
		return nil, false, s.ctx.SendEvent(w.args[0], w.args[1], json.RawMessage(w.args[2]))
	case "return":
		return strings.Join(w.args, " "), true, nil
	case "fail":
		return nil, true, errors.New(strings.Join(w.args, " "))
	case "continue":
		err = s.ctx.ContinueAsNew(json.RawMessage(w.args[0]), w.continuing...)
		return out, true, err
	default:
		panic("no statement " + w.verb)
	}
	return nil, false, nil
}

func oneLine(err error) string { return "error: " + strings.ReplaceAll(err.Error(), "\n", "; ") }

// await sets the value of a task.
func (s *scenario) await(name string) error {
	var value string
	var err error
	switch t := s.tasks[name].(type) {
	case *Timer:
		_, err = t.Await()
	case *Task[HTTPResponse]:
		var answer HTTPResponse
		answer, err = t.Await()
		value = fmt.Sprintf("%d %s", answer.StatusCode, answer.Content)
	case *Task[json.RawMessage]:
		var raw json.RawMessage
		raw, err = t.Await()
		value = string(raw)
	default:
		panic("no task " + name)
	}
	if err == nil {
		s.values[name] = value
	}
	return err
}

// assign makes a task or a value.
func (s *scenario) assign(name string, w *words) error {
	switch w.verb {
	case "call":
		s.tasks[name] = CallActivity[json.RawMessage](s.ctx, w.args[0], w.input(1), w.calling...)
	case "child":
		s.tasks[name] = CallOrchestrator[json.RawMessage](s.ctx, w.args[0], w.input(1), w.starting...)
	case "step":
		s.tasks[name] = Step(s.ctx, w.args[0], func(context.Context) (json.RawMessage, error) { return nil, nil }, w.calling...)
	case "event":
		s.tasks[name] = WaitForEvent[json.RawMessage](s.ctx, w.args[0], w.waiting...)
	case "timer":
		s.tasks[name] = s.ctx.NewTimer(spans(w.args[0]))
	case "go":
		s.tasks[name] = Go(s.ctx, func(*Context) (json.RawMessage, error) { return s.branch(w.args[0]) })
	case "http":
		s.tasks[name] = CallHTTP(s.ctx, HTTPRequest{Method: w.args[0], URL: w.args[1], NoPolling: slices.Contains(w.args, "nopolling"), Retry: w.retry})
	default:
		value, err := s.value(w)
		s.values[name] = value
		return err
	}
	return nil
}

func (s *scenario) branch(name string) (json.RawMessage, error) {
	out, _, err := s.run(s.branches[name])
	return json.RawMessage(fmt.Sprint(out)), err
}

// value is what an expression is that is no task.
func (s *scenario) value(w *words) (string, error) {
	switch w.verb {
	case "rand":
		return strconv.Itoa(s.ctx.Rand().IntN(1000)), nil
	case "side":
		return SideEffect(s.ctx, func() string { return strconv.Itoa(int(sides.Add(1))) }), nil
	case "now":
		return s.ctx.Now().Sub(enginetest.Epoch).String(), nil
	case "version":
		return fmt.Sprintf("%q is %d to 2.0", s.ctx.Version(), s.ctx.CompareVersion("2.0")), nil
	case "patched":
		return strconv.FormatBool(Patched(s.ctx, w.args[0])), nil //durable:ignore DUR019 -- the scenario names its patches
	case "received":
		v, ok, err := Events[json.RawMessage](s.ctx, w.args[0]).TryReceive()
		return fmt.Sprint(string(v), ok), err
	case "detach":
		return NewOrchestrator[json.RawMessage, any](w.args[0], nil).StartDetached(s.ctx, w.input(1), w.starting...)
	case "any":
		index, first := Any(s.raw(w.args)...)
		if s.raw(w.args)[index] != first {
			return "", fmt.Errorf("Any returned another task than its index %d", index)
		}
		return w.args[index], nil
	case "select":
		var list []Awaitable
		for _, name := range w.args {
			list = append(list, s.tasks[name])
		}
		return w.args[Select(list...)], nil
	default:
		return s.joined(w), nil
	}
}

// joined is what several tasks come to.
func (s *scenario) joined(w *words) string {
	switch w.verb {
	case "all":
		return shown(All(s.raw(w.args)...))
	case "first":
		return shown(FirstError(s.raw(w.args)...))
	case "map":
		var items []json.RawMessage
		for _, item := range strings.Split(w.args[1], ",") {
			items = append(items, json.RawMessage(item))
		}
		return shown(Map(s.ctx, items, NewActivity[json.RawMessage, json.RawMessage](w.args[0], nil), w.mapping...))
	case "group":
		var g WaitGroup
		for _, name := range w.args {
			g.Go(s.ctx, func(*Context) error { _, err := s.branch(name); return err })
		}
		return shown[json.RawMessage](nil, g.Wait())
	case "settled":
		var out []string
		for _, r := range AllSettled(s.raw(w.args)...) {
			out = append(out, shown([]json.RawMessage{r.Value}, r.Err))
		}
		return strings.Join(out, " ")
	case "completed":
		var out []string
		for i, t := range AsCompleted(s.raw(w.args)...) {
			v, err := t.Await()
			out = append(out, fmt.Sprint(i, shown([]json.RawMessage{v}, err)))
		}
		return strings.Join(out, " ")
	default:
		panic("no expression " + w.verb)
	}
}

func shown[T ~[]byte](results []T, err error) string {
	out := fmt.Sprintf("%s", results)
	if err != nil {
		out += " " + oneLine(err)
	}
	return out
}

func (s *scenario) raw(names []string) (out []*Task[json.RawMessage]) {
	for _, name := range names {
		out = append(out, s.tasks[name].(*Task[json.RawMessage]))
	}
	return out
}

// words are a statement and its options.
type words struct {
	verb       string
	args       []string
	n          int
	retry      *RetryPolicy
	calling    []ActivityOption
	starting   []ChildOption
	waiting    []EventOption
	mapping    []MapOption
	continuing []ContinueOption
}

func newWords(text string) *words {
	all := strings.Fields(text)
	w := &words{verb: all[0]}
	for _, word := range all[1:] {
		key, value, ok := strings.Cut(word, "=")
		if word == "drop" {
			w.continuing = append(w.continuing, WithoutPendingEvents())
		} else if !ok || !w.option(key, value) {
			w.args = append(w.args, word)
		}
	}
	return w
}

func (w *words) option(key, value string) bool {
	switch key {
	case "retry":
		parts := strings.Split(value, ",")
		attempts, _ := strconv.Atoi(parts[0])
		backoff, _ := strconv.ParseFloat(parts[2], 64)
		w.retry = &RetryPolicy{MaxAttempts: attempts, FirstInterval: spans(parts[1]), Backoff: backoff,
			Handle: func(err error) bool { return !strings.Contains(err.Error(), "hopeless") }}
		o := WithRetry(*w.retry)
		w.calling, w.starting, w.mapping = append(w.calling, o), append(w.starting, o), append(w.mapping, o)
	case "timeout":
		o := WithTimeout(spans(value))
		w.calling, w.waiting, w.mapping = append(w.calling, o), append(w.waiting, o), append(w.mapping, o)
	case "heartbeat":
		w.calling = append(w.calling, WithHeartbeatTimeout(spans(value)))
	case "tag":
		k, v, _ := strings.Cut(value, ":")
		o := WithTags(map[string]string{k: v})
		w.calling, w.starting, w.mapping = append(w.calling, o), append(w.starting, o), append(w.mapping, o)
	case "id":
		w.starting = append(w.starting, WithInstanceID(value))
	case "version":
		o := WithVersion(value)
		w.starting, w.continuing = append(w.starting, o), append(w.continuing, o)
	case "max":
		w.n, _ = strconv.Atoi(value)
		w.mapping = append(w.mapping, WithMaxConcurrency(w.n))
	default:
		return false
	}
	return true
}

func (w *words) input(n int) json.RawMessage {
	if n < len(w.args) {
		return json.RawMessage(w.args[n])
	}
	return json.RawMessage("null")
}

func spans(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	return d
}
