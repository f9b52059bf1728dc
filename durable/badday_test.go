package durable

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/faults"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
	"github.com/durable-go/functions/internal/worker"
)

// noisy is one of the processes of a bad day.
type noisy struct {
	*hub
	noise *faults.Noise
	// queue is the control queue, where it is not that of hubName.
	queue string
}

func (p *noisy) control() string {
	if p.queue != "" {
		return p.queue
	}
	return taskhub.ControlQueue(hubName)
}

// slowest is by how much the answers of a storage account are late at most: more
// than half a lease. A lock that is held over a request shows, too: it stops the
// clock of the bubble.
const slowest = 20 * time.Second

func (p *noisy) begin(seed uint64) {
	var store taskhub.Store = p.memory
	if shared, ok := p.memory.(hubtest.Hub); ok {
		store = shared.Process(fake.BadDay(seed, slowest))
	}
	p.noise = faults.NewNoise(store, 5*time.Second, seed)
	p.store = p.noise
	p.open()
}

func (p *noisy) die() {
	p.noise.Die()
	p.stop()
	p.worker.Kill()
}

// day is what came of a bad day.
type day struct {
	hub sharedHub
	// row is that of the instance "x" when it had ended; nil if it has not.
	row   *taskhub.Instance
	state string
}

// badDay has the instance "x" follow a plan on a new hub. Each second meanwhile gets one of
// the processes; nil does nothing.
func badDay(t *testing.T, on hubtest.Kind, p plan, seed uint64, dispatch worker.Dispatch, meanwhile func(*noisy, int, *rand.Rand)) *day {
	random := rand.New(rand.NewPCG(seed, 2))
	shared := on(t)
	var processes [2]*noisy
	for n := range processes {
		one := &noisy{hub: &hub{t: t, memory: shared, registry: newRegistry(), dispatch: dispatch}}
		for _, f := range plans() {
			if err := f.register(one.registry); err != nil {
				t.Fatal(err)
			}
		}
		one.begin(random.Uint64())
		processes[n] = one
	}
	defer func() {
		for _, one := range processes {
			one.die()
		}
		<-time.After(time.Hour)
	}()
	o := DeclareOrchestrator[progress, string]("Follow")
	start := func() error {
		_, err := o.Start(t.Context(), processes[random.IntN(2)].client(), progress{Plan: p}, WithInstanceID("x"))
		return err
	}
	for err := start(); err != nil && !errors.Is(err, ErrAlreadyExists); err = start() {
		<-time.After(time.Second)
	}
	raised := 0
	for second := range 7200 {
		<-time.After(time.Second)
		if row, err := shared.Instance(t.Context(), "x"); err == nil && row.Status.Finished() {
			<-time.After(10 * time.Minute) // what is on its way comes
			return &day{shared, row, describeRun(t, shared, "x")}
		}
		if raised < p.events() && random.IntN(3) == 0 {
			processes[random.IntN(2)].raiseTwice("x", raised)
			raised++
		}
		if random.IntN(40) == 0 && second < 600 {
			one := processes[random.IntN(2)]
			one.die()
			one.begin(random.Uint64())
		}
		if meanwhile != nil {
			meanwhile(processes[random.IntN(2)], second, random)
		}
		if second%60 == 59 {
			_ = start() // a client whose process died sends the start again
		}
	}
	return &day{shared, nil, describeRun(t, shared, "x")}
}

// describeRun is what the hub knows of an instance and its children.
func describeRun(t *testing.T, hub sharedHub, id string) string {
	var out strings.Builder
	row, err := hub.Instance(t.Context(), id)
	if err != nil {
		return fmt.Sprintln(id, err)
	}
	loaded, err := hub.Load(t.Context(), id, 0)
	fmt.Fprintln(&out, id, row.ExecutionID, row.Status, row.Parked, hub.Pending(taskhub.ControlQueue(hubName)), "messages", time.Now(), err)
	for _, e := range loaded.Events {
		fmt.Fprintf(&out, "  %v %v id %d task %d %s %s\n", e.Timestamp.Format("04:05.00"), e.Type, e.ID, e.TaskID, e.Name, e.Result)
	}
	for _, e := range loaded.Events {
		if e.Type == history.SubOrchestrationInstanceCreated {
			out.WriteString(describeRun(t, hub, e.InstanceID))
		}
	}
	return out.String()
}

// raiseTwice sends an event as a client does whose first try may have had its
// effect.
func (p *noisy) raiseTwice(id string, n int) {
	m := &taskhub.Message{ID: taskhub.GUID("event", id, fmt.Sprint(n)), Target: history.InstanceRef{InstanceID: id},
		Event: &history.Event{Type: history.EventRaised, ID: history.NoID, Name: "E", Input: history.Payload(fmt.Sprintf(`"e%d"`, n)), Timestamp: time.Now()}}
	for {
		if _, err := p.store.Send(p.t.Context(), p.control(), m, 0); err == nil {
			return
		}
	}
}
