package durable

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/engine/enginetest"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/faults"
	"github.com/durable-go/functions/internal/taskhub/memory"
	"github.com/durable-go/functions/internal/worker"
)

// TestProcesses plays testdata/processes/*.txt: what processes make of messages
// that come twice, late or for something else, and of their own ends. Files are
// as enginetest.Blocks reads them:
//
//	orchestrator NAME        the body is its code, see statements
//	forget NAME              processes that follow do not have it
//	process [queue]          the first process, or one that follows
//	dies before N / dies after N / loses N   at the call of the store that
//	                         is number N from now, or loses the answer of that
//	ask                      the body is what clients ask for at the same time:
//	                         start NAME ID [JSON], raise ID EVENT [JSON],
//	                         again (the last message once more),
//	                         begin NAME ID EXECUTION (a start message alone),
//	                         terminate / suspend / resume ID
//	wait DURATION
//	show ID                  how it stands, its history, and what activities
//	                         have run since another was shown
//	left                     the messages that are in the queues
//
// The activities are Echo, Slow and Stubborn (twenty seconds, the second one also
// when nobody wants it), and Fails.
func TestProcesses(t *testing.T) {
	enginetest.Files(t, "testdata/processes/*.txt", *rewrite, func(t *testing.T, _, text string) (out string) {
		synctest.Test(t, func(t *testing.T) {
			sides.Store(0)
			p := &life{ran: &runs{n: map[string]int{}}, began: time.Now(), executions: map[string]string{}, code: map[string]Registration{}}
			p.h = &hub{t: t, memory: memory.New(memory.Options{})}
			out = enginetest.Blocks(text, p.command)
			p.end()
		})
		return out
	})
}

// life is the processes of a scenario, one at a time.
type life struct {
	h     *hub
	store *faults.Store
	code  map[string]Registration
	ran   *runs
	began time.Time
	// executions are the names that the file has for ids.
	executions map[string]string
	last       *taskhub.Message
}

func (p *life) command(words, body []string) string {
	switch words[0] {
	case "orchestrator":
		p.code[words[1]] = scripted(words[1], body, nil)
	case "forget":
		delete(p.code, words[1])
	case "process":
		return p.process(len(words) > 1)
	case "dies", "loses":
		kind := map[string]faults.Kind{"before": faults.DieBefore, "after": faults.DieAfter}[words[1]]
		if words[0] == "loses" {
			kind = faults.LoseAnswer
		}
		n, _ := strconv.Atoi(words[len(words)-1])
		p.store.Arm(n, kind)
	case "ask":
		return p.ask(body)
	case "wait":
		<-time.After(spans(words[1]))
		synctest.Wait()
	case "show":
		return p.show(words[1])
	case "left":
		return fmt.Sprintf("%d messages\n", p.h.memory.Pending(taskhub.ControlQueue(hubName))+p.h.memory.Pending(taskhub.WorkItemQueue(hubName)))
	default:
		p.h.t.Fatalf("no command %s", words[0])
	}
	return ""
}

// end ends the process, and gives goroutines of those before the time to end.
func (p *life) end() {
	if p.h.worker != nil {
		p.h.stop()
		p.h.worker.Kill()
		<-time.After(time.Minute)
	}
}

// process begins a process, and returns with which call the one before has died.
func (p *life) process(queue bool) (died string) {
	if p.h.worker != nil {
		died = p.died()
		p.h.stop()
		p.h.worker.Kill()
	}
	p.h.dispatch = worker.Local
	if queue {
		p.h.dispatch = worker.Queue
	}
	p.h.registry = newRegistry()
	functions := append(slices.Collect(maps.Values(p.code)), p.activity("Echo", 0), p.activity("Slow", 20*time.Second), p.activity("Stubborn", 20*time.Second), p.activity("Fails", 0))
	for _, f := range functions {
		if err := f.register(p.h.registry); err != nil {
			p.h.t.Fatal(err)
		}
	}
	p.store = faults.New(p.h.memory, 0, 0)
	p.h.store = p.store
	p.h.open()
	store, w := p.store, p.h.worker
	go func() {
		select {
		case <-store.Dead():
			w.Kill()
		case <-p.h.t.Context().Done():
		}
	}()
	p.h.settle()
	return died
}

func (p *life) died() string {
	select {
	case <-p.store.Dead():
		calls := p.store.Calls()
		return "the last call was " + calls[len(calls)-1] + "\n"
	default:
		return ""
	}
}

func (p *life) activity(name string, takes time.Duration) Registration {
	return NewActivity(name, func(ctx context.Context, in json.RawMessage) (json.RawMessage, error) {
		p.ran.note(name + " " + string(in))
		if name == "Stubborn" {
			ctx = context.WithoutCancel(ctx)
		}
		select {
		case <-time.After(takes):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if name == "Fails" {
			return nil, fmt.Errorf("no %s", in)
		}
		return in, nil
	})
}

// ask does what clients ask for, and returns what they are told if that is not
// yes.
func (p *life) ask(lines []string) string {
	var out strings.Builder
	for _, line := range lines {
		if err := p.wish(strings.Fields(line)); err != nil {
			fmt.Fprintf(&out, "%s: %v\n", line, err)
		}
	}
	p.h.settle()
	return out.String()
}

func (p *life) wish(words []string) error {
	ctx := p.h.t.Context()
	rest := func(n int) string { return strings.Join(words[min(n, len(words)):], " ") }
	if words[0] == "start" {
		_, err := p.h.client().StartNew(ctx, words[1], raw(rest(3)), WithInstanceID(words[2]))
		return err
	}
	if words[0] != "again" {
		e := &history.Event{ID: history.NoID, Timestamp: time.Now()}
		p.last = &taskhub.Message{ID: taskhub.NewGUID(), Target: history.InstanceRef{InstanceID: words[1]}, Event: e}
		switch words[0] {
		case "begin":
			e.Type, e.Name = history.ExecutionStarted, words[1]
			p.last.Target = history.InstanceRef{InstanceID: words[2], ExecutionID: p.id(words[3])}
			e.Instance = p.last.Target
		case "raise":
			e.Type, e.Name, e.Input = history.EventRaised, words[2], history.Payload(raw(rest(3)))
		case "terminate":
			e.Type, e.Input = history.ExecutionTerminated, history.Payload(rest(2))
		case "suspend":
			e.Type = history.ExecutionSuspended
		case "resume":
			e.Type = history.ExecutionResumed
		default:
			p.h.t.Fatalf("no wish %s", words[0])
		}
	}
	_, err := p.h.memory.Send(ctx, taskhub.ControlQueue(hubName), p.last, 0)
	return err
}

func raw(text string) json.RawMessage {
	if text == "" {
		return json.RawMessage("null")
	}
	return json.RawMessage(text)
}

// id is the id of an execution that the file knows by a name, or the name.
func (p *life) id(name string) string {
	for id, known := range p.executions {
		if known == name {
			return id
		}
	}
	return name
}

var executionID = regexp.MustCompile(`\b[0-9a-f]{32}\b`)

func (p *life) show(id string) string {
	var out strings.Builder
	row, err := p.h.memory.Instance(p.h.t.Context(), id)
	if err != nil {
		fmt.Fprintln(&out, err)
	} else {
		fmt.Fprintf(&out, "%s %s%s\n", row.Shown(), row.Output, row.Parked)
	}
	loaded, err := p.h.memory.Load(p.h.t.Context(), id, 0)
	if err != nil {
		p.h.t.Fatal(err)
	}
	for _, e := range loaded.Events {
		if line := enginetest.Describe(e, p.began); line != "" {
			fmt.Fprintln(&out, line)
		}
	}
	p.ran.mu.Lock()
	defer p.ran.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(p.ran.n)) {
		fmt.Fprintf(&out, "ran %s: %d\n", name, p.ran.n[name])
	}
	clear(p.ran.n)
	return executionID.ReplaceAllStringFunc(out.String(), func(id string) string {
		if p.executions[id] == "" {
			p.executions[id] = fmt.Sprint("e", len(p.executions)+1)
		}
		return p.executions[id]
	})
}
