package engine_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/durable-go/functions/internal/history"
)

var record = flag.Bool("record", false, "write histories of new scenarios into testdata/golden; those that are there are never written again")

// golden is a history that an earlier engine made, as rows of the History
// table, with the code that made it and how that stood in the end.
type golden struct {
	Main     []string            `json:"main"`
	Branches map[string][]string `json:"branches,omitempty"`
	State    string              `json:"state"`
	Rows     []json.RawMessage   `json:"rows"`
}

// recordGolden keeps the history of a scenario whose code was not changed.
func (p *player) recordGolden() {
	if !*record || p.script == nil || len(p.stored) == 0 || p.since > 0 || p.file == "nondeterminism" {
		return
	}
	p.scenarios++
	name := filepath.Join("testdata", "golden", fmt.Sprintf("%s-%d.json", p.file, p.scenarios))
	if _, err := os.Stat(name); err == nil {
		return
	}
	g := golden{Main: p.script.main, Branches: p.script.branches, State: p.state(p.live)}
	for n, e := range p.stored {
		g.Rows = append(g.Rows, history.AppendRow(nil, "i1", fmt.Sprintf("%016X", n), "e1", e, false))
	}
	raw, err := json.MarshalIndent(g, "", "\t")
	if err == nil {
		err = os.WriteFile(name, append(raw, '\n'), 0o644)
	}
	if err != nil {
		p.t.Error(err)
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
			p := &player{t: t, script: &script{main: g.Main, branches: g.Branches}}
			i := p.instance()
			defer i.Close()
			if err := i.Load(events); err != nil {
				t.Fatal(err)
			}
			if got := p.state(i); got != g.State {
				t.Errorf("got %s, want %s", got, g.State)
			}
		})
	}
}
