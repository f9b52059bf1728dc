package handler

import (
	"context"
	"io"
	"log/slog"
	"os"
)

// NewLogger logs one line a record: errors to errors, everything else to out,
// because the host shows every line of the error stream as an error. Lines are
// text on a developer's machine and JSON in Azure.
func NewLogger(out, errors io.Writer, getenv func(string) string) *slog.Logger {
	make := func(w io.Writer) slog.Handler {
		if getenv("WEBSITE_SITE_NAME") != "" {
			return slog.NewJSONHandler(w, nil)
		}
		return slog.NewTextHandler(w, nil)
	}
	return slog.New(&split{out: make(out), errors: make(errors)})
}

// DefaultLogger logs to the process's own streams.
func DefaultLogger() *slog.Logger { return NewLogger(os.Stdout, os.Stderr, os.Getenv) }

type split struct{ out, errors slog.Handler }

func (s *split) Enabled(ctx context.Context, level slog.Level) bool {
	return s.out.Enabled(ctx, level)
}

func (s *split) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelError {
		return s.errors.Handle(ctx, r)
	}
	return s.out.Handle(ctx, r)
}

func (s *split) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &split{out: s.out.WithAttrs(attrs), errors: s.errors.WithAttrs(attrs)}
}

func (s *split) WithGroup(name string) slog.Handler {
	return &split{out: s.out.WithGroup(name), errors: s.errors.WithGroup(name)}
}
