package enginetest

import (
	"slices"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
)

// forStorage is what a store gives back: rows of calls have no input.
func forStorage(events []*history.Event) []*history.Event {
	var out []*history.Event
	for _, e := range events {
		stored := *e
		if e.Type == history.TaskScheduled || e.Type == history.SubOrchestrationInstanceCreated {
			stored.Input = nil
		}
		out = append(out, &stored)
	}
	return out
}

// everyPrefix replays the history as it was after each event: it fits the code
// at every place, and the whole gives the state of the live instance.
func (p *Player) everyPrefix() {
	p.t.Helper()
	for n := 2; n <= len(p.stored); n++ {
		sides := p.code.Sides
		i := p.instance()
		if err := i.Load(p.stored[:n]); err != nil {
			p.t.Errorf("replay of the first %d events: %v", n, err)
		}
		if n == len(p.stored) {
			if got, want := State(i), State(p.live); got != want {
				p.t.Errorf("a replay gives %s, the instance is %s", got, want)
			}
		} else if n >= p.since {
			p.sameTail(i, n)
		}
		i.Close()
		p.code.Sides = sides
	}
}

// sameTail cuts a commit off within the actions of a turn: the replay asks for
// the rest again.
func (p *Player) sameTail(i *engine.Instance, n int) {
	var want []string
	end := n
	for ; p.stored[end].Type != history.OrchestratorCompleted; end++ {
		e := p.stored[end]
		if e.ID == history.NoID && e.Type != history.TaskCompleted || e.Type == history.TaskScheduled && e.Name == "BuiltIn::SideEffect" {
			return
		}
		want = append(want, Describe(e, Epoch))
	}
	if end == n || p.stored[n].Type == history.TaskCompleted {
		return
	}
	turn, err := i.Turn(p.now, nil)
	if err != nil {
		p.t.Errorf("turn after the first %d events: %v", n, err)
		return
	}
	var got []string
	for _, e := range forStorage(turn.Events[:len(turn.Events)-1]) {
		got = append(got, Describe(e, Epoch))
	}
	if !slices.Equal(got, want) {
		p.t.Errorf("after the first %d events a replay asks for %q, the code asked for %q", n, got, want)
	}
}
