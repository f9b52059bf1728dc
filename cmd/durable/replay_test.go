package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/opening"
)

// sources makes a program of the app's folder: Greet calls the activity of that name.
func (a *liveApp) sources(t *testing.T, activity string) {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"main.go": fmt.Sprintf(`package main

import (
	"context"
	"log"

	"github.com/durable-go/functions/durable"
)

func main() {
	app := durable.NewApp()
	app.Register(durable.NewOrchestrator("Greet", greet), durable.NewOrchestrator("Ask", ask), durable.NewActivity(%q, hello))
	log.Fatal(app.Run(context.Background()))
}

func hello(_ context.Context, name string) (string, error) { panic("no activity runs in a replay") }

func greet(ctx *durable.Context, name string) (string, error) {
	return durable.CallActivity[string](ctx, %q, name).Await()
}

func ask(ctx *durable.Context, _ durable.None) (string, error) {
	return durable.WaitForEvent[string](ctx, "Answer").Await()
}
`, activity, activity)}
	for _, name := range []string{"go.mod", "go.sum"} {
		raw, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(raw)
	}
	files["go.mod"] = strings.Replace(files["go.mod"], "module "+module, "module greetings", 1) +
		fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %s => %s\n", module, module, root)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(a.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Before a deployment, today's code replays what is in the hub: through storage, through
// the app and from files. What it does not fit is named with its event and its line, and
// the exit code keeps it from being deployed.
func TestReplay(t *testing.T) {
	a := startApp(t)
	a.check(t, "app", a.ways()["app"], outcomeCase{`run Greet --id g-1 --input "Ann"`, 0, "Hello Ann", ""})
	a.check(t, "app", a.ways()["app"], outcomeCase{"run Ask --id a-1 --no-wait", 0, "a-1", ""})
	a.untilStatus(t, "a-1", "Running")
	saved := filepath.Join(t.TempDir(), "saved")
	a.check(t, "app", a.ways()["app"], outcomeCase{"export --status Completed,Running --out " + saved, 0, "2 histories in", ""})
	app := []string{"--url", a.url, "--dir", a.dir}
	a.sources(t, "SayHello")
	a.check(t, "storage", a.ways()["storage"], outcomeCase{"replay --all --status Completed,Running", 0, "2 histories replayed, 0 differ", ""})
	a.sources(t, "SayBye")
	const differs = `instance g-1 (Greet): event 2: the history has activity 'SayHello', the code asks for activity 'SayBye' (|main.go:19)`
	a.check(t, "app", app, outcomeCase{"replay a-1 g-1", failedCode, differs + "|2 histories replayed, 1 differ", "does not fit 1 of 2"})
	a.check(t, "it", []string{"--dir", a.dir}, outcomeCase{"replay " + saved + " -o jsonl", failedCode, `"instanceId":"g-1","orchestrator":"Greet","event":2`, "does not fit"})
	for args, c := range map[string]outcomeCase{
		"replay nobody --url " + a.url + " --dir " + a.dir: {"", absentCode, "", "there is no such instance"},
		"replay --dir " + a.dir:                            {"", usageCode, "", "--all"},
		"replay --all g-1 --dir " + a.dir:                  {"", usageCode, "", "--all"},
		"replay --all --max 0 --dir " + a.dir:              {"", usageCode, "", "--max"},
		"replay " + t.TempDir() + " --dir " + a.dir:        {"", failedCode, "", "has no files"},
		"replay --all --hub Other --dir " + a.dir:          {"", failedCode, "", "has the app run"},
	} {
		c.args = args
		a.check(t, "it", nil, c)
	}
	if err := os.WriteFile(filepath.Join(a.dir, "main.go"), []byte("package main\n\nfunc main() { println(\"no app\") }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a.check(t, "it", []string{"--dir", a.dir}, outcomeCase{"replay " + saved, failedCode, "", "must come to app.Run|no app"})
	if left, err := filepath.Glob(filepath.Join(a.dir, "durable_replay*")); err != nil || len(left) > 0 {
		t.Errorf("%q are left in the app's folder (%v)", left, err)
	}
}

// What is no difference between code and history is named by its file; a wide report
// has the events around.
func TestReplayReport(t *testing.T) {
	event := 3
	for _, c := range []struct {
		d    opening.Difference
		f    form
		want string
	}{
		{opening.Difference{File: "x.history.json", Text: "it is one page"}, asTable, "x.history.json: it is one page"},
		{opening.Difference{InstanceID: "i", Orchestrator: "O", Event: &event, Expected: "a", Actual: "b"}, asTable, "instance i (O): event 3: the history has a, the code asks for b"},
		{opening.Difference{InstanceID: "i", Event: &event, Text: "all of it"}, asWide, "all of it\n"},
	} {
		if got := differenceText(c.d, c.f); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	var said strings.Builder
	o := replayOptions{form: asJSON}
	if err := o.print(&said, &opening.ReplayReport{Replayed: 1, Differences: []opening.Difference{}}); err != nil || !json.Valid([]byte(said.String())) {
		t.Errorf("%v: %s", err, said.String())
	}
}
