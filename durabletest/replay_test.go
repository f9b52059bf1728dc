package durabletest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/management"
)

var update = flag.Bool("update", false, "write testdata/replay")

type steps func(ctx *durable.Context) error

// code is an orchestrator of the steps.
func code(list ...steps) durable.Registration {
	return durable.NewOrchestrator("Order", func(ctx *durable.Context, _ string) (string, error) {
		for _, step := range list {
			if err := step(ctx); err != nil {
				return "", err
			}
		}
		return "done", nil
	})
}

func call(name string) steps {
	return func(ctx *durable.Context) error {
		_, err := durable.CallActivity[string](ctx, name, "x").Await()
		return err
	}
}

func sleep(ctx *durable.Context) error { return ctx.Sleep(time.Hour) }

func fanOut(ctx *durable.Context) error {
	_, err := durable.All(durable.CallActivity[string](ctx, "Pack", 1), durable.CallActivity[string](ctx, "Pack", 2))
	return err
}

func approve(ctx *durable.Context) error {
	_, err := durable.WaitForEvent[string](ctx, "Approved").Await()
	return err
}

func draw(ctx *durable.Context) error {
	if got := durable.SideEffect(ctx, func() int { return 7 }); got != 7 {
		return fmt.Errorf("drew %d", got)
	}
	return nil
}

func patched(ctx *durable.Context) error {
	if durable.Patched(ctx, "mail") {
		return call("Mail")(ctx)
	}
	return nil
}

// save runs code until an instance waits for an event or has finished, and
// saves its history in each form.
func save(t *testing.T, list ...steps) map[string][]byte {
	t.Helper()
	forms := map[string][]byte{}
	named := func(name string) durable.Registration {
		return durable.NewActivity(name, func(_ context.Context, in any) (string, error) {
			if minutes, ok := in.(float64); ok {
				<-time.After(time.Duration(minutes) * time.Minute) // so that the ends have an order
			}
			return name, nil
		})
	}
	Run(t, func(t *testing.T, env *Env) {
		o := Start(env, durable.DeclareOrchestrator[string, string]("Order"), "tea", durable.WithInstanceID("order-7"))
		env.RunUntilIdle()
		forms["rows"] = o.HistoryJSON()
		forms["lines"] = []byte(strings.ReplaceAll(strings.Trim(string(forms["rows"]), "[]\n"), ",\n", "\n"))
		forms["events"] = history.AppendAPIArray(nil, o.load())
		links := &management.Links{Keys: management.NewKeys(env.hub, env.app.Hub, time.Now), Path: "/links"}
		api := &management.API{Client: client.New(env.hub, client.Options{}), Links: links, Log: env.log}
		answer := httptest.NewRecorder()
		api.Operators("/api").ServeHTTP(answer, httptest.NewRequest("GET", "/api/instances/order-7?showHistory=true&showHistoryOutput=true", nil))
		forms["api"] = answer.Body.Bytes()
	}, code(list...), named("Charge"), named("Pack"), named("Ship"), named("Mail"))
	return forms
}

// lines are places in the code, of which the lines change with this file.
var lines = regexp.MustCompile(`\.go:[0-9]+\)`)

// TestReplay changes code in every way: the fit is found, or the text of the
// mismatch is the recorded one.
func TestReplay(t *testing.T) {
	old := []steps{call("Charge"), draw, sleep, fanOut, call("Ship")}
	unfinished := []steps{call("Charge"), approve, call("Ship")}
	cases := []struct {
		name     string
		old, new []steps
	}{
		{"same", old, old},
		{"same unfinished", unfinished, unfinished},
		{"later part changed", unfinished, []steps{call("Charge"), approve, call("Pack"), sleep}},
		{"patched afterwards", old, []steps{call("Charge"), draw, patched, sleep, fanOut, call("Ship")}},
		{"patched before", []steps{call("Charge"), patched, sleep}, []steps{call("Charge"), patched, sleep}},
		{"other activity", old, []steps{call("Charge"), draw, sleep, fanOut, call("Mail")}},
		{"activity more", old, []steps{call("Charge"), call("Mail"), draw, sleep, fanOut, call("Ship")}},
		{"activity less", old, []steps{call("Charge"), draw, sleep, fanOut}},
		{"timer less", old, []steps{call("Charge"), draw, fanOut, call("Ship")}},
		{"fan-out less", old, []steps{call("Charge"), draw, sleep, call("Pack"), call("Ship")}},
		{"activity more unfinished", unfinished, []steps{call("Charge"), call("Mail"), approve, call("Ship")}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var b strings.Builder
			for _, form := range []string{"rows", "lines", "events", "api"} {
				saved := save(t, c.old...)[form]
				err := Check(saved, code(c.new...))
				fmt.Fprintf(&b, "== %s\n%s\n", form, lines.ReplaceAllString(fmt.Sprint(err), ".go:N)"))
				if differs := new(Mismatch); err != nil && (!errors.As(err, &differs) || differs.Orchestrator != "Order") {
					t.Errorf("%s: %v\n%s", form, err, saved)
				}
			}
			golden(t, c.name, b.String())
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "replay", strings.ReplaceAll(name, " ", "-")+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != got {
		t.Errorf("%v: got\n%s\nwant\n%s", err, got, want)
	}
}

func TestReplayOfBadHistories(t *testing.T) {
	for saved, want := range map[string]string{
		"":                           "reading a saved history: there are no events in it",
		"[]":                         "reading a saved history: there are no events in it",
		"[{":                         "reading a saved history: unexpected end of JSON input",
		`[{"EventType":"Nonsense"}]`: `reading a saved history: event 0: unknown event type "Nonsense"`,
		`[{"EventType":"TaskCompleted","FunctionName":"Charge"}]`: "reading a saved history: event 0: it has no result; save the history with showHistoryOutput=true",
		`[{"EventType":"ExecutionRewound"}]`:                      "reading a saved history: event 0: the history was rewound; save the rows of the History table instead",
		`[{"EventType":12,"EventId":-1}]`:                         `the history of instance "" has no ExecutionStarted event`,
	} {
		if err := Check([]byte(saved), code()); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", saved, err, want)
		}
	}
	saved := save(t, call("Charge"))["rows"]
	if err := Check(saved); err == nil || errors.As(err, new(*Mismatch)) {
		t.Errorf("an unknown orchestrator: %v", err)
	}
	strict := Options{Settings: `{"strictReplay": true}`}
	other := code(func(ctx *durable.Context) error {
		_, err := durable.CallActivity[string](ctx, "Charge", "y").Await()
		return err
	})
	if err := Check(saved, other); err != nil {
		t.Errorf("inputs are compared: %v", err)
	}
	if differs := new(Mismatch); !errors.As(strict.Check(saved, other), &differs) || differs.Actual != "activity 'Charge' with another input" {
		t.Errorf("strict: %v", strict.Check(saved, other))
	}
}
