package arrival

import (
	"testing"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

func numberedMessage(queue string, number int64) taskhub.Delivery {
	return taskhub.Delivery{Message: &taskhub.Message{Sequence: number}, Lease: &taskhub.Lease{Queue: queue}}
}

func TestNumbers(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var n Numbers
	for _, came := range []int64{0, 5, 6, 9} {
		n.Came(numberedMessage("q", came), now)
	}
	for _, c := range []struct {
		queue  string
		number int64
		after  time.Duration
		lacks  bool
	}{
		{"q", 0, 0, false}, {"q", 1, 0, false}, {"q", 6, 0, false}, {"q", 7, 0, false}, {"q", 8, 0, true}, {"q", 10, 0, false}, {"q", 11, 0, true},
		{"q", 18, 0, true}, {"q", 19, 0, false}, {"other", 8, 0, true}, {"other", 7, 0, false}, {"q", 8, lately, true}, {"q", 8, lately + 1, false},
	} {
		if got := n.lacks(numberedMessage(c.queue, c.number), now.Add(c.after)); got != c.lacks {
			t.Errorf("%s %d after %v: %v, want %v", c.queue, c.number, c.after, got, c.lacks)
		}
	}
	n.waitedInVain(now)
	if n.lacks(numberedMessage("q", 8), now.Add(tiredFor-1)) {
		t.Error("it waits again at once after it has waited in vain")
	}
}

// What is known of numbers does not grow without bound, and the last ones are known
// however many come.
func TestNumbersAreForgotten(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var n Numbers
	last := int64(5 * manyNumbers)
	for i := range last {
		n.Came(numberedMessage("q", i+1), now)
	}
	if kept := len(n.came) + len(n.before); kept > 2*manyNumbers {
		t.Errorf("%d numbers are kept", kept)
	}
	if !n.knows(last, now) || !n.knows(last-manyNumbers+1, now) || n.knows(1, now) {
		t.Error("the last numbers are not those that are known")
	}
}
