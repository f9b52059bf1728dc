package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

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
			"child C in", "side", "guid", "wait", "try", "any", "order", "cancel", "poll e", "patch", "send i2 e x", "detach D in", "status s",
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
	return append(lines, result+" $winner $order $polled")
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
		}
		if t.Failed() {
			rt.Fatalf("code %q, branches %q", main, branches)
		}
	})
}
