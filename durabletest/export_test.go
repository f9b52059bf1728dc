package durabletest

import "log/slog"

// Planned is the filter of the default log.
func Planned(h slog.Handler) slog.Handler { return planned{h} }
