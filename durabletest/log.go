package durabletest

import (
	"context"
	"errors"
	"log/slog"

	"github.com/durable-go/functions/internal/taskhub/faults"
)

// planned leaves out what the engine logs about the crashes that a test has
// planned: nobody needs to look into them.
type planned struct{ slog.Handler }

func (p planned) Handle(ctx context.Context, r slog.Record) error {
	mine := false
	r.Attrs(func(a slog.Attr) bool {
		err, _ := a.Value.Any().(error)
		mine = errors.Is(err, faults.ErrDead) || errors.Is(err, faults.ErrLost)
		return !mine
	})
	if mine {
		return nil
	}
	return p.Handler.Handle(ctx, r)
}

func (p planned) WithAttrs(attrs []slog.Attr) slog.Handler {
	return planned{p.Handler.WithAttrs(attrs)}
}

func (p planned) WithGroup(name string) slog.Handler { return planned{p.Handler.WithGroup(name)} }
