package executor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

func quiet() *Executor { return New(SystemClock{}, slog.New(slog.DiscardHandler)) }

func TestClassify(t *testing.T) {
	for _, test := range []struct {
		err  error
		want Class
	}{
		{errors.New("connection reset by peer"), Again},
		{context.DeadlineExceeded, Again},
		{taskhub.ErrNoHub, Again},
		{taskhub.ErrBacklog, Again},
		{taskhub.ErrNotFound, Overtaken},
		{taskhub.ErrExists, Overtaken},
		{taskhub.ErrChanged, Overtaken},
		{taskhub.ErrConflict, Overtaken},
		{taskhub.ErrGone, Overtaken},
		{taskhub.ErrTaken, Overtaken},
		{taskhub.ErrLeaseLost, Overtaken},
		{taskhub.ErrPayloadGone, Overtaken},
		{taskhub.ErrFormat, Later},
		{taskhub.ErrForeignHub, Later},
		{taskhub.ErrSealed, Later},
		{taskhub.ErrUnread, Later},
		{taskhub.ErrTooLarge, Refused},
		{taskhub.ErrRefused, Refused},
		{taskhub.ErrUnreadable, Refused},
		{&history.UnreadableError{}, Refused},
	} {
		if got := Classify(test.err); got != test.want {
			t.Errorf("%v: class %d, want %d", test.err, got, test.want)
		}
		if got := Classify(fmt.Errorf("commit of x: %w", test.err)); got != test.want {
			t.Errorf("%v, wrapped: class %d, want %d", test.err, got, test.want)
		}
	}
}

// A request is repeated while its outcome is open, with pauses, and no other.
func TestDoRepeats(t *testing.T) {
	broken := errors.New("503")
	for name, test := range map[string]struct {
		answers []error
		calls   int
		want    error
	}{
		"success":               {[]error{nil}, 1, nil},
		"success in the end":    {[]error{broken, broken, nil}, 3, nil},
		"overtaken":             {[]error{broken, taskhub.ErrConflict}, 2, taskhub.ErrConflict},
		"refused":               {[]error{taskhub.ErrRefused}, 1, taskhub.ErrRefused},
		"until the context end": {slices.Repeat([]error{broken}, 10_000), 0, broken},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				calls := 0
				err := quiet().Do(ctx, func(context.Context) error {
					calls++
					return test.answers[calls-1]
				})
				if !errors.Is(err, test.want) || test.calls > 0 && calls != test.calls {
					t.Errorf("%v after %d calls", err, calls)
				}
				if most := int(time.Hour/maxPause) + 20; calls > most {
					t.Errorf("%d calls in an hour", calls)
				}
			})
		})
	}
}

// Each keeps its bound, uses it, waits for what it has begun, and returns the error
// that is first by number.
func TestEach(t *testing.T) {
	bad := func(n int) error { return fmt.Errorf("number %d", n) }
	for name, test := range map[string]struct {
		n      int
		fail   []int
		want   string
		rounds time.Duration
		ran    int
	}{
		"none":                      {n: 0},
		"one":                       {n: 1, rounds: 1, ran: 1},
		"one that fails":            {n: 1, fail: []int{0}, want: "number 0", rounds: 1, ran: 1},
		"as many as at once":        {n: AtOnce, rounds: 1, ran: AtOnce},
		"one more":                  {n: AtOnce + 1, rounds: 2, ran: AtOnce + 1},
		"many":                      {n: 10 * AtOnce, rounds: 10, ran: 10 * AtOnce},
		"two fail":                  {n: AtOnce, fail: []int{7, 3}, want: "number 3", rounds: 1, ran: AtOnce},
		"no more after the failure": {n: 10 * AtOnce, fail: []int{5}, want: "number 5"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				now, most, ran := 0, 0, 0
				began := time.Now()
				err := quiet().Each(t.Context(), test.n, func(_ context.Context, i int) error {
					mu.Lock()
					now, ran = now+1, ran+1
					most = max(most, now)
					mu.Unlock()
					<-time.After(time.Second)
					mu.Lock()
					defer mu.Unlock()
					now--
					if slices.Contains(test.fail, i) {
						return bad(i)
					}
					return nil
				})
				if got := fmt.Sprint(err); test.want == "" && err != nil || test.want != "" && got != test.want {
					t.Errorf("got %v, want %q", err, test.want)
				}
				if now != 0 || most > AtOnce {
					t.Errorf("%d still run, up to %d at once", now, most)
				}
				if test.rounds > 0 && (time.Since(began) != test.rounds*time.Second || ran != test.ran) {
					t.Errorf("%d ran in %v", ran, time.Since(began))
				}
				if test.rounds == 0 && ran > 2*AtOnce {
					t.Errorf("%d ran", ran)
				}
			})
		})
	}
}

func TestGroupDrainsWhenItsGoroutinesHaveEnded(t *testing.T) {
	g, inner := NewGroup(), make(chan struct{})
	if !g.Go(func(context.Context) {
		<-inner
		g.Go(func(ctx context.Context) { <-ctx.Done() })
	}) {
		t.Fatal("a new group refuses")
	}
	drained := g.Drain()
	if g.Drain() != drained {
		t.Error("each Drain has a channel of its own")
	}
	close(inner)
	select {
	case <-drained:
		t.Error("it has drained while a goroutine runs")
	default:
	}
	cause := errors.New("enough")
	g.Cancel(cause)
	<-drained
	if context.Cause(g.Context()) != cause {
		t.Errorf("the cause is %v", context.Cause(g.Context()))
	}
	if g.Go(func(context.Context) { t.Error("it runs after the group has drained") }) {
		t.Error("a group that has drained does not refuse")
	}
}

func TestGroupThatIsEmptyDrainsAtOnce(t *testing.T) {
	g := NewGroup()
	<-g.Drain()
	if g.Go(func(context.Context) {}) {
		t.Error("it does not refuse")
	}
}

// What does not come to its end is left behind by Refuse.
func TestGroupRefuses(t *testing.T) {
	g, hang := NewGroup(), make(chan struct{})
	g.Go(func(context.Context) { <-hang })
	drained := g.Drain()
	g.Refuse()
	<-drained
	if g.Go(func(context.Context) {}) {
		t.Error("it does not refuse")
	}
	g.Refuse()
	close(hang)
}
