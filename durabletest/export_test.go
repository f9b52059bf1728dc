package durabletest

import (
	"io"
	"log/slog"
)

// Planned is the filter of the default log.
func Planned(h slog.Handler) slog.Handler { return planned{h} }

// DefaultLog is the default log.
func DefaultLog(w io.Writer) *slog.Logger { return slog.New(defaultLog(w)) }
