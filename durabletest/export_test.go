package durabletest

import (
	"context"
	"io"
	"log/slog"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/worker"
)

// Planned is the filter of the default log.
func Planned(h slog.Handler) slog.Handler { return planned{h} }

// DefaultLog is the default log.
func DefaultLog(w io.Writer) *slog.Logger { return slog.New(defaultLog(w)) }

// WithSlowRows makes every write of an instance row by the app take so long. All other
// calls take no time.
func WithSlowRows(d time.Duration) Options {
	return Options{between: func(s taskhub.Store) taskhub.Store { return slowRows{s, d} }}
}

type slowRows struct {
	taskhub.Store
	delay time.Duration
}

// Wake is that of the hub.
func (s slowRows) Wake(queue string) (wake <-chan struct{}, due time.Time) {
	return s.Store.(worker.Waker).Wake(queue)
}

func (s slowRows) Insert(ctx context.Context, row *taskhub.Instance) error {
	<-time.After(s.delay)
	return s.Store.Insert(ctx, row)
}

func (s slowRows) Merge(ctx context.Context, id string, c taskhub.Change) (string, error) {
	<-time.After(s.delay)
	return s.Store.Merge(ctx, id, c)
}

// UntilEnded lets time pass until the history of the instance has ended, whatever its
// row shows.
func (e *Env) UntilEnded(id string) {
	e.t.Helper()
	for range 10_000 {
		synctest.Wait()
		head, err := e.hub.Head(e.t.Context(), id)
		if err != nil {
			e.t.Fatal(err)
		}
		if head.State.Ended {
			return
		}
		<-time.After(100 * time.Millisecond)
	}
	e.t.Fatalf("the history of %s does not end", id)
}

// Vanish deletes all that the hub has of an instance, as no part of the product does:
// neither its parent nor an entity is told of its end.
func (e *Env) Vanish(id string) {
	e.t.Helper()
	if _, err := e.hub.Purge(e.t.Context(), id, ""); err != nil {
		e.t.Fatal(err)
	}
}
