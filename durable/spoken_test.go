package durable

import (
	"io"
	"log/slog"
	"slices"
	"testing"
)

// What user code logs may be the reason why it ended the process.
func TestWhatCodeLogsIsNoted(t *testing.T) {
	var lines []string
	log := slog.New(spoken{Handler: slog.NewTextHandler(io.Discard, nil), say: func(line string) { lines = append(lines, line) }})
	log.Info("plain")
	log.Error("failed", "order", 7, "error", io.EOF)
	log.With("customer", "x y").WithGroup("g").Warn("late", slog.Group("by", "days", 3))
	slog.NewLogLogger(log.Handler(), slog.LevelInfo).Print("bad luck")
	want := []string{"plain", "failed order=7 error=EOF", "late customer=x y by=[days=3]", "bad luck"}
	if !slices.Equal(lines, want) {
		t.Errorf("noted are %q, want %q", lines, want)
	}
}
