package durable

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/faults"
	"github.com/durable-go/functions/internal/worker"
)

// quickPlans are plans that take no time.
var quickPlans = rapid.Custom(func(t *rapid.T) plan {
	kinds := []string{"call", "all", "any", "race", "event", "child"}
	child := &plan{Generations: [][]step{{{Kind: "call", N: 3}}, {{Kind: "all", N: 4}}}}
	var p plan
	for range rapid.IntRange(1, 3).Draw(t, "generations") {
		var steps []step
		for range rapid.IntRange(1, 4).Draw(t, "steps") {
			s := step{Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), N: rapid.IntRange(1, 12).Draw(t, "n")}
			if s.Kind == "child" {
				s.Child = child
			}
			steps = append(steps, s)
		}
		p.Generations = append(p.Generations, steps)
	}
	return p
})

// TestPlansOnAzurite carries a few plans out by two processes at the storage
// emulator, with messages that come twice and in any order and lost answers.
func TestPlansOnAzurite(t *testing.T) {
	server := azuritetest.Server(t)
	for n := range 4 {
		p := quickPlans.Example(n)
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			planOnAzurite(t, server.ConnectionString(), p, uint64(n), []worker.Dispatch{worker.Local, worker.Queue}[n%2])
		})
	}
}

func planOnAzurite(t *testing.T, connection string, p plan, seed uint64, dispatch worker.Dispatch) {
	ps := &processes{t: t, connection: connection, hub: azuritetest.HubName(), registry: newRegistry()}
	for _, f := range plans() {
		if err := f.register(ps.registry); err != nil {
			t.Fatal(err)
		}
	}
	store := ps.open(http.DefaultClient).store
	if err := store.Create(t.Context(), taskhub.Owner{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	control, items := taskhub.ControlQueue(ps.hub), taskhub.WorkItemQueue(ps.hub)
	var noise *faults.Noise
	var last *worker.Worker
	for range 2 {
		seed += 100
		noise = faults.NewNoise(store, time.Second, seed)
		w, err := worker.New(worker.Options{
			Store: noise, Programs: ps.registry.program, Activities: ps.registry.activity, Lease: 2 * time.Second, Dispatch: dispatch,
			Control: control, WorkItems: func(string) string { return items }, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Kill()
		w.Poll(ctx, control)
		w.PollActivities(ctx, items)
		last = w
	}
	o := client.Options{Queue: control}
	if dispatch == worker.Local {
		o.Local, o.Lease = last, 2*time.Second
	}
	input, err := json.Marshal(progress{Plan: p})
	if err != nil {
		t.Fatal(err)
	}
	c := client.New(noise, o)
	start := func() error {
		_, err := c.Start(ctx, client.Start{Name: "Follow", InstanceID: "x", ExecutionID: "x1", Input: input})
		return err
	}
	for start() != nil {
		<-time.After(50 * time.Millisecond)
	}
	var events []string
	sender := &noisy{hub: &hub{t: t, store: noise}, queue: control}
	for n := range p.events() {
		sender.raiseTwice("x", n)
		events = append(events, fmt.Sprint("e", n))
	}
	want, got := `"`+interpret(p, events)+`"`, ""
	for range 600 {
		row, err := store.Instance(ctx, "x")
		if err == nil && row.Status.Finished() {
			got = string(row.Output)
			break
		}
		<-time.After(100 * time.Millisecond)
	}
	if got != want {
		t.Errorf("plan %+v: got %s, want %s", p, got, want)
	}
}
