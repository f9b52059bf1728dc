package engine_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/engine/enginetest"
	"github.com/durable-go/functions/internal/history"
)

var record = flag.Bool("record", false, "write histories of new scenarios into testdata/golden; those that are there are never written again")

// golden is a history that an earlier engine made, as rows of the History
// table, with the code that made it and how that stood in the end.
type golden struct {
	Words    []string            `json:"words,omitempty"`
	Main     []string            `json:"main"`
	Branches map[string][]string `json:"branches,omitempty"`
	State    string              `json:"state"`
	Rows     []json.RawMessage   `json:"rows"`
}

// recordGolden keeps the history of a scenario whose code was not changed.
func recordGolden(t *testing.T, s *enginetest.Scenario) {
	if !*record || s.Changed || len(s.Events) == 0 || s.File == "nondeterminism" {
		return
	}
	name := filepath.Join("testdata", "golden", fmt.Sprintf("%s-%d.json", s.File, s.Number))
	if _, err := os.Stat(name); err == nil {
		return
	}
	g := golden{Words: s.Words, Main: s.Lines, Branches: s.Branches, State: s.State}
	for n, e := range s.Events {
		g.Rows = append(g.Rows, history.AppendRow(nil, "i1", fmt.Sprintf("%016X", n), "e1", e, false))
	}
	raw, err := json.MarshalIndent(g, "", "\t")
	if err == nil {
		err = os.WriteFile(name, append(raw, '\n'), 0o644)
	}
	if err != nil {
		t.Error(err)
	}
}

// TestGoldenHistories replays what earlier engines recorded: the same code must
// fit, and stand where it stood.
func TestGoldenHistories(t *testing.T) {
	files, err := filepath.Glob("testdata/golden/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no histories: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var g golden
			if err := json.Unmarshal(raw, &g); err != nil {
				t.Fatal(err)
			}
			var events []*history.Event
			for _, row := range g.Rows {
				e, _, err := history.DecodeRow(row)
				if err != nil {
					t.Fatal(err)
				}
				events = append(events, e)
			}
			code, err := scripts(g.Words, g.Main, g.Branches)
			if err != nil {
				t.Fatal(err)
			}
			i := engine.New(engine.Options{InstanceID: "i1", Program: code.Program, MaxActions: code.MaxActions})
			defer i.Close()
			if err := i.Load(events); err != nil {
				t.Fatal(err)
			}
			if got := enginetest.State(i); got != g.State {
				t.Errorf("got %s, want %s", got, g.State)
			}
		})
	}
}
