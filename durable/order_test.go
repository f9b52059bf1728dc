package durable

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
	"github.com/durable-go/functions/internal/worker"
	"pgregory.net/rapid"
)

// gathering is what the orchestrator Gather has so far.
type gathering struct {
	Every int
	All   []string
}

// gather collects events until none has come for an hour, and continues as new
// after every few of them.
func gather() Registration {
	return NewOrchestrator("Gather", func(ctx *Context, g gathering) (string, error) {
		for n := 0; ; n++ {
			if g.Every > 0 && n == g.Every {
				return "", ctx.ContinueAsNew(g)
			}
			e, err := WaitForEvent[string](ctx, "E", WithTimeout(time.Hour)).Await()
			if err != nil {
				return strings.Join(g.All, " "), nil
			}
			g.All = append(g.All, e)
		}
	})
}

// herald sends events to the instance "x" and continues as new after every
// third of them.
func herald() Registration {
	return NewOrchestrator("Herald", func(ctx *Context, n int) (None, error) {
		for ; n < 8; n++ {
			if err := ctx.SendEvent("x", "E", fmt.Sprint("herald:", n)); err != nil {
				return None{}, err
			}
			switch n % 3 {
			case 1:
				if err := ctx.Sleep(time.Second); err != nil {
					return None{}, err
				}
			case 2:
				return None{}, ctx.ContinueAsNew(n + 1)
			}
		}
		return None{}, nil
	})
}

// TestEventsKeepTheirOrder has an orchestrator and clients of two processes raise events, while
// storage fails, messages come late and processes die: each event comes once,
// and after all that its process had raised before.
func TestEventsKeepTheirOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		every := rapid.IntRange(0, 3).Draw(rt, "events of an execution")
		deaths := rapid.IntRange(0, 3).Draw(rt, "deaths")
		dispatch := rapid.SampledFrom([]worker.Dispatch{worker.Local, worker.Queue}).Draw(rt, "dispatch")
		synctest.Test(t, func(t *testing.T) {
			got, raised, state := raiseOnABadDay(t, hubtest.Memory, seed, every, deaths, dispatch)
			if wrong := misplaced(got, raised); wrong != "" {
				rt.Fatalf("%s\ngot %v\n%s", wrong, got, state)
			}
		})
	})
}

// raisers are what the processes have raised for certain, by their names: those
// of a process that begins anew have another one.
type raisers struct {
	mu     sync.Mutex // guards certain
	events map[string][]string
}

func (r *raisers) note(process, event string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events[process] = append(r.events[process], event)
}

func raiseOnABadDay(t *testing.T, on hubtest.Kind, seed uint64, every, deaths int, dispatch worker.Dispatch) (got []string, raised map[string][]string, state string) {
	random := rand.New(rand.NewPCG(seed, 3))
	shared := on(t)
	var processes [2]*noisy
	for n := range processes {
		processes[n] = &noisy{hub: &hub{t: t, memory: shared, registry: newRegistry(), dispatch: dispatch}}
		for _, f := range []Registration{gather(), herald()} {
			if err := f.register(processes[n].registry); err != nil {
				t.Fatal(err)
			}
		}
		processes[n].begin(random.Uint64())
	}
	begin := func(name, id string, in any) {
		for {
			// A start whose message was lost is mended by another one.
			_, err := processes[0].client().StartNew(t.Context(), name, in, WithInstanceID(id))
			if row, readErr := shared.Instance(t.Context(), id); err == nil || readErr == nil && row.Status != history.Pending {
				return
			}
			<-time.After(time.Second)
		}
	}
	begin("Gather", "x", gathering{Every: every})
	begin("Herald", "herald", 0)
	r := &raisers{events: map[string][]string{}}
	var group sync.WaitGroup
	raise := func(n, life int) context.CancelFunc {
		ctx, cancel := context.WithCancel(t.Context())
		own := rand.New(rand.NewPCG(seed, uint64(10*life+n)))
		core := processes[n].core
		group.Go(func() { r.raise(ctx, core, fmt.Sprintf("p%d.%d", n, life), own) })
		return cancel
	}
	lives := []context.CancelFunc{raise(0, 0), raise(1, 0)}
	for life := 1; life <= deaths; life++ {
		<-time.After(time.Duration(random.IntN(20_000)) * time.Millisecond)
		n := random.IntN(2)
		lives[n]()
		processes[n].die()
		processes[n].begin(random.Uint64())
		lives[n] = raise(n, life)
	}
	group.Wait()
	await(t, shared, "herald")
	for n := range 8 {
		r.note("herald", fmt.Sprint("herald:", n))
	}
	row := await(t, shared, "x")
	for _, one := range processes {
		one.die()
	}
	<-time.After(time.Hour)
	return strings.Fields(strings.Trim(string(row.Output), `"`)), r.events, describeRun(t, shared, "x")
}

// await waits for the end of an instance.
func await(t *testing.T, hub sharedHub, id string) *taskhub.Instance {
	for range 4 * 3600 {
		<-time.After(time.Second)
		if row, err := hub.Instance(t.Context(), id); err == nil && row.Status.Finished() {
			return row
		}
	}
	t.Fatal("it does not end: ", describeRun(t, hub, id))
	return nil
}

// raise raises events one after the other until the process dies. Each is tried
// until it is stored.
func (r *raisers) raise(ctx context.Context, c *core, process string, random *rand.Rand) {
	for n := range 8 {
		event := fmt.Sprintf("%s:%d", process, n)
		for {
			err := c.client.RaiseOnce(ctx, taskhub.GUID(event), "x", "E", history.Payload(`"`+event+`"`))
			if ctx.Err() != nil {
				return
			}
			if err == nil {
				r.note(process, event)
				break
			}
			<-time.After(time.Second)
		}
		if random.IntN(2) == 0 {
			<-time.After(time.Duration(random.IntN(5000)) * time.Millisecond)
		}
	}
}

// misplaced says what is wrong with the events that have come; empty: nothing.
func misplaced(got []string, raised map[string][]string) string {
	at, last := map[string]int{}, map[string]int{}
	for i, e := range got {
		if _, twice := at[e]; twice {
			return e + " has come twice"
		}
		at[e] = i
		process, text, _ := strings.Cut(e, ":")
		var n int
		if _, err := fmt.Sscan(text, &n); err != nil {
			return e + " is no event"
		}
		if before, any := last[process]; any && n < before {
			return e + " has come too late"
		}
		last[process] = n
	}
	for _, events := range raised {
		for _, e := range events {
			if _, came := at[e]; !came {
				return e + " is lost"
			}
		}
	}
	return ""
}
