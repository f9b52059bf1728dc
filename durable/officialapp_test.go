package durable

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

// workers are the answers of a hub, one after the other.
type workers struct {
	names []string
	err   error
}

func (w *workers) OfficialWorker(context.Context) (string, error) {
	name := w.names[0]
	w.names = w.names[1:]
	return name, w.err
}

// An official app on the hub is reported once as long as it stays, and again when
// another one comes.
func TestOfficialAppIsReported(t *testing.T) {
	var log bytes.Buffer
	hub := &workers{names: []string{"", "a", "a", "", "a", "b", ""}}
	app := &officialApp{hub: hub, name: "TheHub", log: slog.New(slog.NewTextHandler(&log, nil))}
	for len(hub.names) > 1 {
		if err := app.look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 3 || !strings.Contains(log.String(), "hub=TheHub worker=b") {
		t.Errorf("it was reported %d times, want 3:\n%s", n, log.String())
	}
	hub.err = errors.New("503")
	if err := app.look(t.Context()); !errors.Is(err, hub.err) || app.worker != "b" {
		t.Errorf("%v, %q", err, app.worker)
	}
}
