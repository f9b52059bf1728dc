package arrival

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// Messages are told in the order of their times and numbers, each once, at times that
// grow whatever the clocks of their senders say.
func TestTellings(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	message := func(id string, at time.Time, number int64) taskhub.Delivery {
		return taskhub.Delivery{Inserted: now, Message: &taskhub.Message{
			ID: id, Sequence: number, Target: history.InstanceRef{InstanceID: "i", ExecutionID: "x"}, Event: &history.Event{Type: history.EventRaised, Timestamp: at},
		}}
	}
	later := now.Add(time.Microsecond)
	for _, c := range []struct {
		name, want string
		list       []taskhub.Delivery
	}{
		{"by time", "ab", []taskhub.Delivery{message("b", later, 1), message("a", now, 2)}},
		{"one time", "abc", []taskhub.Delivery{message("c", now, 3), message("a", now, 1), message("b", now, 2)}},
		{"numbers far apart", "ab", []taskhub.Delivery{message("b", now, math.MaxInt64), message("a", now, math.MinInt64)}},
		{"twice", "ab", []taskhub.Delivery{message("a", now, 1), message("b", later, 2), message("a", now, 1)}},
		{"no number", "ba", []taskhub.Delivery{message("b", now, 0), message("a", now, 0)}},
		{"no time", "cab", []taskhub.Delivery{message("a", now.Add(-time.Hour), 1), message("c", time.Time{}, 0), message("b", now.Add(-time.Minute), 2)}},
	} {
		var g Gathering
		for _, d := range c.list {
			g.Add(d, now)
		}
		got, last := "", time.Time{}
		for _, telling := range g.Tellings() {
			got += telling.ID
			if !telling.Sent.After(last) || telling.Check() != nil || telling.Origin != "x" {
				t.Errorf("%s: %s was sent at %v after %v, for %q", c.name, telling.ID, telling.Sent, last, telling.Origin)
			}
			last = telling.Sent
		}
		if g.Clear(); got != c.want || !g.IsEmpty() {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// Many messages of one time stay in order over the transactions that tell them.
func TestTellingsOfOneTimeKeepTheirOrder(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var g Gathering
	for n := range int64(200) {
		g.Add(taskhub.Delivery{Message: &taskhub.Message{ID: fmt.Sprint(n), Sequence: 200 - n, Event: &history.Event{Type: history.EventRaised, Timestamp: now}}}, now)
	}
	keys := make([]string, 0, 200)
	for _, telling := range g.Tellings() {
		keys = append(keys, telling.Key(nil))
	}
	if len(keys) != 200 || !slices.IsSorted(keys) {
		t.Errorf("the inbox has another order: %s", strings.Join(keys, " "))
	}
}
