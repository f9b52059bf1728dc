package durabletest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/durable-go/functions/internal/taskhub/faults"
)

// defaultLog writes warnings and errors, each once.
func defaultLog(w io.Writer) slog.Handler {
	return planned{once{slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelWarn}), new(sync.Map)}}
}

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

// once leaves out what it has logged before: while time flies, a line a minute is
// a flood.
type once struct {
	slog.Handler
	seen *sync.Map
}

func (o once) Handle(ctx context.Context, r slog.Record) error {
	line := r.Level.String() + " " + r.Message
	r.Attrs(func(a slog.Attr) bool {
		line += fmt.Sprintf(" %s=%v", a.Key, a.Value)
		return true
	})
	if _, again := o.seen.LoadOrStore(line, true); again {
		return nil
	}
	return o.Handler.Handle(ctx, r)
}

func (o once) WithAttrs(attrs []slog.Attr) slog.Handler {
	return once{o.Handler.WithAttrs(attrs), new(sync.Map)}
}

func (o once) WithGroup(name string) slog.Handler {
	return once{o.Handler.WithGroup(name), new(sync.Map)}
}
