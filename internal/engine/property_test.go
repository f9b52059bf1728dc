package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/engine/enginetest"
	"github.com/durable-go/functions/internal/history"
)

// randomScript draws an orchestrator that asks for some things, waits for them
// in some order and returns what it saw.
func randomScript(t *rapid.T, label string, branches []string) (lines []string) {
	var names []string
	for n := range rapid.IntRange(1, 8).Draw(t, label+" statements") {
		name := fmt.Sprintf("%s%d", label, n)
		choices := []string{
			"call A in", "call B in retry 3 5s 2", "timer 5s", "timer 200h", "event e", "event e within 10s",
			"child C in", "side", "guid", "wait", "try", "any", "order", "cancel", "end", "done", "poll e", "patch", "send i2 e x", "detach D in", "status s",
		}
		for _, b := range branches {
			choices = append(choices, "go "+b)
		}
		switch choice := rapid.SampledFrom(choices).Draw(t, "statement"); {
		case choice == "wait" || choice == "try":
			if len(names) > 0 {
				lines = append(lines, "try "+rapid.SampledFrom(names).Draw(t, "task"))
			}
		case choice == "any" || choice == "order":
			if len(names) > 0 {
				lines = append(lines, choice+" "+strings.Join(names, " "))
			}
		case choice == "cancel":
			lines = append(lines, name+" = timer 7s", "cancel "+name)
			names = append(names, name)
		case choice == "end" || choice == "done": // of a wait for an event, which is made here if there is none
			verb := map[string]string{"end": "cancel", "done": "done"}[choice]
			lines = append(lines, name+" = event e", "any "+strings.Join(append(names, name), " "), verb+" "+name)
			names = append(names, name)
		case choice == "patch":
			lines = append(lines, "patched p "+name+" = call P in", "unpatched p "+name+" = call Q in")
			names = append(names, name)
		case strings.HasPrefix(choice, "poll"), strings.HasPrefix(choice, "send"), strings.HasPrefix(choice, "detach"), strings.HasPrefix(choice, "status"):
			lines = append(lines, choice)
		default:
			lines = append(lines, name+" = "+choice)
			if choice != "side" && choice != "guid" {
				names = append(names, name)
			}
		}
	}
	result := "return"
	for _, name := range names {
		lines = append(lines, "try "+name)
		result += " $" + name
	}
	return append(lines, result+" $winner $order $polled $done $cancelled")
}

// randomEvent draws something that may happen: a result of something that is
// open, or of something that is not.
func randomEvent(t *rapid.T, open []*history.Event) string {
	if len(open) > 0 && rapid.IntRange(0, 3).Draw(t, "answer") > 0 {
		e := rapid.SampledFrom(open).Draw(t, "action")
		switch e.Type {
		case history.TimerCreated:
			return fmt.Sprintf("fired %d", e.ID)
		case history.SubOrchestrationInstanceCreated:
			return fmt.Sprintf("child-%s %d c", rapid.SampledFrom([]string{"done", "failed"}).Draw(t, "end"), e.ID)
		default:
			return fmt.Sprintf("%s %d r%d", rapid.SampledFrom([]string{"done", "done", "failed", "final"}).Draw(t, "end"), e.ID, e.ID)
		}
	}
	id := rapid.IntRange(0, 5).Draw(t, "id")
	return rapid.SampledFrom([]string{
		"raise e 1", "raise E 2", "raise other 3", "suspend", "resume", "resume", "start",
		fmt.Sprintf("done %d again", id), fmt.Sprintf("fired %d", id), fmt.Sprintf("child-done %d again", id),
	}).Draw(t, "event")
}

// TestReplayIsPure runs random orchestrators on random events, in random turns
// with duplicates and strangers: after each turn the history fits the code at
// every prefix, a torn commit brings the same actions again, and a replay of
// the whole stands where the live instance stands.
func TestReplayIsPure(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		branches := map[string][]string{"left": randomScript(rt, "l", nil), "right": randomScript(rt, "r", nil)}
		main := randomScript(rt, "m", []string{"left", "right"})
		code, err := scripts([]string{"strict"}, main, branches)
		if err != nil {
			rt.Fatal(err)
		}
		p := enginetest.NewPlayer(t, code)
		defer p.Close()
		p.Turn(0, []string{"start in"})
		for range rapid.IntRange(1, 12).Draw(rt, "turns") {
			if p.Live().Outcome() != nil || t.Failed() {
				break
			}
			var body []string
			for range rapid.IntRange(1, 3).Draw(rt, "events") {
				body = append(body, randomEvent(rt, p.Live().Outstanding()))
			}
			p.Turn(rapid.SampledFrom([]time.Duration{0, time.Second, 4 * time.Hour}).Draw(rt, "time"), body)
			checkWaits(rt, p.Live())
		}
		if t.Failed() {
			rt.Fatalf("code %q, branches %q", main, branches)
		}
	})
}

// checkWaits checks that an instance waits for all that is open, and that asking
// does not change that. The turns that follow show that it changed nothing else.
func checkWaits(t *rapid.T, i *engine.Instance) {
	if i.Outcome() != nil {
		return
	}
	waits := i.Waits()
	for _, e := range i.Outstanding() {
		if !slices.ContainsFunc(waits, func(w engine.Wait) bool { return w.ID == e.ID }) {
			t.Errorf("action %d is open, and the waits are %v", e.ID, waits)
		}
	}
	if again := i.Waits(); !slices.Equal(waits, again) {
		t.Errorf("the waits are %v, and then %v", waits, again)
	}
}

// TestRacesLoseNoEvent runs one race after the other, each with a wait of its own
// or with the one before, while events come at any time: each is taken once, in the
// order in which they came.
func TestRacesLoseNoEvent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rounds := rapid.SliceOfN(rapid.SampledFrom([]string{"new", "again", "within"}), 1, 8).Draw(t, "rounds")
		var took []string
		i := newInstance(func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
			var wait *engine.Task
			for _, round := range rounds {
				switch {
				case round == "within":
					wait = rt.WaitEventUntil("e", rt.Now().Add(time.Minute))
				case round == "new" || wait == nil || wait.Done():
					wait = rt.WaitEvent("e")
				}
				g := rt.Group(wait, rt.Timer(rt.Now().Add(time.Second)))
				first := g.Next()
				g.Close()
				if result, err := wait.Result(); first == wait && err == nil {
					took = append(took, string(result))
					wait = nil
				}
				_, _ = rt.ScheduleActivity("Pause", nil, nil).Await()
				if wait != nil && wait.Done() { // it takes what has come, or has timed out
					if result, err := wait.Result(); err == nil {
						took = append(took, string(result))
					}
					wait = nil
				}
			}
			for p, ok := rt.TakeEvent("e"); ok; p, ok = rt.TakeEvent("e") {
				took = append(took, string(p))
			}
			return nil, nil
		})
		defer i.Close()
		var raised []string
		events := []*history.Event{start()}
		for i.Outcome() == nil {
			if rapid.IntRange(0, 2).Draw(t, "raise") == 0 {
				raised = append(raised, fmt.Sprint(len(raised)))
				events = append(events, &history.Event{Type: history.EventRaised, ID: history.NoID, Name: "E", Input: history.Payload(raised[len(raised)-1])})
			}
			if open := i.Outstanding(); len(open) > 0 {
				e := rapid.SampledFrom(open).Draw(t, "end")
				done := &history.Event{Type: history.TaskCompleted, ID: history.NoID, TaskID: e.ID}
				if e.Type == history.TimerCreated {
					done.Type = history.TimerFired
				}
				events = append(events, done)
			}
			if _, err := i.Turn(epoch, events); err != nil {
				t.Fatal(err)
			}
			events = nil
		}
		// The last turn may have brought an event after the code had ended.
		if len(took) < len(raised)-1 || !slices.Equal(took, raised[:len(took)]) {
			t.Errorf("raised %v, took %v", raised, took)
		}
	})
}
