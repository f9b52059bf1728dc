package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// order is an orchestrator that calls an activity and waits.
func order(activity string) durable.Registration {
	return durable.NewOrchestrator("Order", func(ctx *durable.Context, _ durable.None) (string, error) {
		if _, err := durable.CallActivity[string](ctx, activity, nil).Await(); err != nil {
			return "", err
		}
		return durable.WaitForEvent[string](ctx, "Approved").Await()
	})
}

func charge(name string) durable.Registration {
	return durable.NewActivity(name, func(_ context.Context, _ any) (string, error) { return "paid", nil })
}

// The replay gate: what is in flight is exported, and code that does not fit it is
// found without the hub.
func TestExportedHistoriesAreReplayed(t *testing.T) {
	dir := t.TempDir()
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		declared := durable.DeclareOrchestrator[durable.None, string]("Order")
		for _, id := range []string{"a b", "A_b", "done"} {
			durabletest.Start(env, declared, durable.None{}, durable.WithInstanceID(id))
		}
		env.RunUntilIdle()
		if err := env.Client().RaiseEvent(t.Context(), "done", "Approved", "yes"); err != nil {
			t.Fatal(err)
		}
		env.RunUntilIdle()
		c := &caller{client: &http.Client{Transport: inProcess{env.Client().ManagementAPI(dashboardAPI)}}, base: "http://localhost" + dashboardAPI + "/"}
		o := exportOptions{out: dir, max: 10}
		o.status = inFlight
		var said bytes.Buffer
		if err := o.save(t.Context(), c, &said, &progress{}); err != nil || !strings.Contains(said.String(), "2 histories in ") {
			t.Errorf("%v: %s", err, &said)
		}
	}, order("Charge"), charge("Charge"))
	files, err := filepath.Glob(filepath.Join(dir, "*"+exportEnd))
	if err != nil || len(files) != 2 {
		t.Fatalf("%v %v, want two files", files, err)
	}
	for _, file := range files {
		saved, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := durabletest.Check(saved, order("Charge"), charge("Charge")); err != nil {
			t.Errorf("the code that runs: %v", err)
		}
		if err := durabletest.Check(saved, order("Bill"), charge("Bill")); !errors.As(err, new(*durabletest.Mismatch)) {
			t.Errorf("code that calls another activity: %v, want a mismatch", err)
		}
	}
}

// An app with two pages of instances, one of which has a history of two pages.
func pages() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := r.Header.Get(tokenHeader)
		switch path := strings.TrimPrefix(r.URL.Path, dashboardAPI+"/"); path + token {
		case "instances":
			w.Header().Set(tokenHeader, "2")
			_, _ = io.WriteString(w, `[{"instanceId":"long","name":"Order"},{"instanceId":"@counter@a","name":"counter"},{"instanceId":"other","name":"Other"}]`)
		case "instances2":
			_, _ = io.WriteString(w, `[{"instanceId":"gone","name":"order"},{"instanceId":"new","name":"Order"}]`)
		case "instances/long/rows":
			if r.URL.Query().Get("from") == "1" && r.URL.Query().Get("execution") == "e" {
				_, _ = io.WriteString(w, `{"execution":"e","rows":[{"EventType":"TaskScheduled"}],"next":2,"stored":2}`)
				return
			}
			_, _ = io.WriteString(w, `{"execution":"e","rows":[{"EventType":"ExecutionStarted","Input":"9007199254740993"}],"next":1,"stored":2}`)
		case "instances/new/rows", "instances/other/rows":
			_, _ = fmt.Fprint(w, `{"execution":"e","rows":[],"next":0,"stored":0}`)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
}

func TestExport(t *testing.T) {
	app := httptest.NewServer(pages())
	defer app.Close()
	dir := filepath.Join(t.TempDir(), "histories")
	old, kept := filepath.Join(dir, "old"+exportEnd), filepath.Join(dir, "notes.txt")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{old, kept} {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"--name Order", 0, "1 histories in " + dir},
		{"--max 1", 0, "there are more instances: --max 1"},
		{"--max 0", 2, "--max 0"},
		{"instance", 2, "want: durable export"},
		{"--since never", 2, "--since"},
		{"-h", 0, "durable export [flags]"},
	} {
		var out bytes.Buffer
		args := append([]string{"export", "--url", app.URL, "--out", dir}, strings.Fields(c.args)...)
		if code := run(t.Context(), args, &out, &out); code != c.code || !strings.Contains(out.String(), c.says) {
			t.Errorf("export %s: exit code %d, want %d with %q: %s", c.args, code, c.code, c.says, &out)
		}
	}
	if _, err := os.Stat(old); err == nil {
		t.Error("the history of an earlier export is still there")
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error("a file that is none of its own is gone")
	}
	saved, err := os.ReadFile(filepath.Join(dir, exportName("long")))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ExecutionStarted", "TaskScheduled", "9007199254740993"} {
		if !bytes.Contains(saved, []byte(want)) {
			t.Errorf("the history has no %s: %s", want, saved)
		}
	}
	if !json.Valid(saved) {
		t.Errorf("the history is no JSON: %s", saved)
	}
}

// Names of files are valid on every system, and differ where ids do.
func TestExportNames(t *testing.T) {
	seen := map[string]string{}
	for _, id := range []string{"a/b", `a\b`, "a_b", "A_B", "..", "con", strings.Repeat("ä", 300), "order 7?"} {
		name := exportName(id)
		folded := strings.ToLower(name)
		if strings.ContainsAny(name, `/\:*?"<>| `) || len(name) > 120 || seen[folded] != "" {
			t.Errorf("the file of %q is %q (%q has it)", id, name, seen[folded])
		}
		seen[folded] = id
	}
}
