package handler

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/durable-go/functions/internal/redact"
)

// NewLogger logs one line a record: errors to errors, everything else to out,
// because the host shows every line of the error stream as an error. Lines are
// text on a developer's machine and JSON in Azure. Keys and signatures in what
// is logged are replaced.
func NewLogger(out, errors io.Writer, getenv func(string) string) *slog.Logger {
	options := &slog.HandlerOptions{ReplaceAttr: discreet}
	make := func(w io.Writer) slog.Handler {
		if getenv("WEBSITE_SITE_NAME") != "" {
			return slog.NewJSONHandler(w, options)
		}
		return slog.NewTextHandler(w, options)
	}
	return slog.New(&split{out: make(out), errors: make(errors)})
}

// discreet replaces the secrets in a value.
func discreet(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(redact.Text(a.Value.String()))
	case slog.KindAny:
		// Times and numbers have kinds of their own: these are errors, and what has a
		// text.
		switch v := a.Value.Any().(type) {
		case error:
			a.Value = slog.StringValue(redact.Text(v.Error()))
		case fmt.Stringer:
			a.Value = slog.StringValue(redact.Text(v.String()))
		case []byte:
			a.Value = slog.StringValue(redact.Text(string(v)))
		case *slog.Source:
		default:
			if text := fmt.Sprintf("%+v", v); redact.Text(text) != text {
				a.Value = slog.StringValue(redact.Text(text))
			}
		}
	}
	return a
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
