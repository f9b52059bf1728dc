package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/entity"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/journal"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
)

// blaming is a journal in which some code has ended the process. It notes what it is
// told, in order.
type blaming struct {
	journal.Journal
	blames func(c journal.Code, deliveries int) error

	mu   sync.Mutex // guards said
	said []string
}

func (b *blaming) note(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.said = append(b.said, fmt.Sprintf(format, args...))
}

func (b *blaming) Begin(ctx context.Context, c journal.Code, deliveries int) (journal.Run, error) {
	b.note("begin %s", c.Execution)
	if err := b.blames(c, deliveries); err != nil {
		return nil, err
	}
	return journal.None.Begin(ctx, c, deliveries)
}

func (b *blaming) Stored(c journal.Code) { b.note("stored %s", c.Execution) }
func (b *blaming) Settle(c journal.Code) { b.note("settle %s", c.Execution) }

// counting is an entity that appends its input to its state.
func counting(string) (*entity.Code, error) {
	return &entity.Code{Run: func(_ context.Context, op *entity.Operation) *entity.Outcome {
		state := history.Payload(strings.TrimSuffix(string(op.State), `"`) + string(op.Input) + `"`)
		if op.State == nil {
			state = history.Payload(`"` + string(op.Input) + `"`)
		}
		return &entity.Outcome{State: state, Decoded: string(state), Result: op.Input}
	}}, nil
}

// asks stores requests of a client for operations of an entity; its id and input are the
// number.
func asks(t *testing.T, hub taskhub.Store, id string, numbers ...int) {
	t.Helper()
	for _, n := range numbers {
		r := history.EntityRequest{Operation: "Add", Input: history.Payload(fmt.Sprint(n)), ID: request(n), Client: true}
		now := time.Now().UTC()
		err := hub.Tell(t.Context(), id, &taskhub.Telling{ID: r.ID, Sent: now, Event: &history.Event{
			Type: history.EventRaised, ID: history.NoID, Timestamp: now, Name: history.EntityOperation, Input: r.Encode(),
		}})
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(2 * time.Millisecond) // the order is that of the service's clock
	}
}

func request(n int) string { return taskhub.GUID("request", fmt.Sprint(n)) }

// An operation that is to blame for the end of the process fails alone: those beside it
// run, and what it is blamed for is forgotten only when its failure is stored.
func TestOperationThatEndedTheProcessFailsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := hubtest.Memory(t)
		j := &blaming{Journal: journal.None, blames: func(c journal.Code, _ int) error {
			if c.Execution == request(2) {
				return errors.New("exit code 1: it hurts")
			}
			return nil
		}}
		store := &hooked{Store: hub, commit: func(*taskhub.Commit) error {
			j.note("commit")
			return nil
		}}
		asks(t, hub, "@cell@a", 1, 2, 3)
		send(t, hub, controlQueue, taskhub.Look("@cell@a", "seed", time.Now()))
		polling(t, store, nil, func(o *Options) { o.Entities, o.Journal = counting, j })
		<-time.After(time.Minute)
		outcomes(t, hub, "@cell@a", `"13"`, "1", "the process ended while this code ran: exit code 1: it hurts", "3")
		want := strings.Fields("begin1 begin2 begin3 commit stored1 settle1 stored2 settle2 stored3 settle3")
		for n := range 3 {
			for i, s := range j.said {
				j.said[i] = strings.ReplaceAll(s, " "+request(n+1), fmt.Sprint(n+1))
			}
		}
		if !slices.Equal(j.said, want) {
			t.Errorf("the journal heard %q, want %q", j.said, want)
		}
	})
}

// outcomes checks the state of an entity, and the answers to its first requests: the
// result or a part of the error.
func outcomes(t *testing.T, hub taskhub.Store, id, state string, want ...string) {
	t.Helper()
	h, err := hub.Load(t.Context(), id, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := entity.Read(h); err != nil || string(got.State) != state {
		t.Errorf("the state is %s, %v; want %s", got.State, err, state)
	}
	for i, w := range want {
		p, err := hub.Answer(t.Context(), id, request(i+1))
		if err != nil || p == nil {
			t.Errorf("request %d has no answer: %v", i+1, err)
			continue
		}
		a, err := history.DecodeEntityAnswer(p)
		switch {
		case err != nil:
			t.Error(err)
		case a.Failure != nil && !strings.Contains(a.Failure.ErrorMessage, w), a.Failure == nil && string(a.Result) != w:
			t.Errorf("request %d: %s, %+v; want %q", i+1, a.Result, a.Failure, w)
		}
	}
}

// Where no supervisor sees what ends the process, the count of deliveries is evidence.
// Operations are stored one by one then, and only the one at which it always ended is
// blamed.
func TestOperationIsBlamedByDeliveriesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 30
		hub := hubtest.Memory(t)
		asks(t, hub, "@cell@a", 1, 2, 3)
		send(t, hub, controlQueue, taskhub.Look("@cell@a", "seed", time.Now()))
		deaths := 0
		for stop := false; !stop; {
			died := make(chan struct{})
			j := &blaming{Journal: journal.None, blames: func(_ journal.Code, deliveries int) error {
				if deliveries >= most {
					return fmt.Errorf("delivered %d times", deliveries)
				}
				return nil
			}}
			var once sync.Once
			entities := func(name string) (*entity.Code, error) {
				code, err := counting(name)
				run := code.Run
				code.Run = func(ctx context.Context, op *entity.Operation) *entity.Outcome {
					if op.Request == request(2) {
						once.Do(func() { close(died) })
						<-ctx.Done()
					}
					return run(ctx, op)
				}
				return code, err
			}
			w := newWorker(t, hub, nil, func(o *Options) { o.Entities, o.Journal = entities, j })
			ctx, cancel := context.WithCancel(t.Context())
			w.Poll(ctx, controlQueue)
			select {
			case <-died:
				deaths++
			case <-time.After(time.Hour):
				stop = true
			}
			cancel()
			w.Kill()
		}
		outcomes(t, hub, "@cell@a", `"13"`, "1", "delivered 30 times", "3")
		if deaths != most-1 {
			t.Errorf("the process ended %d times", deaths)
		}
	})
}
