package durable

import (
	"context"
	"log/slog"
	"strings"
)

// spoken logs what user code says with package slog or log, and notes it: where
// the code ends the process, its last lines are a part of the reason. What the
// app's own logger says goes another way.
type spoken struct {
	slog.Handler
	say   func(line string)
	attrs string // of With, as text
}

func (s spoken) Handle(ctx context.Context, r slog.Record) error {
	line := strings.Builder{}
	line.WriteString(r.Message)
	line.WriteString(s.attrs)
	r.Attrs(func(a slog.Attr) bool {
		line.WriteString(" " + a.String())
		return true
	})
	s.say(line.String())
	return s.Handler.Handle(ctx, r)
}

func (s spoken) WithAttrs(attrs []slog.Attr) slog.Handler {
	for _, a := range attrs {
		s.attrs += " " + a.String()
	}
	s.Handler = s.Handler.WithAttrs(attrs)
	return s
}

func (s spoken) WithGroup(name string) slog.Handler {
	s.Handler = s.Handler.WithGroup(name)
	return s
}
