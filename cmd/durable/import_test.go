package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/taskhub"
)

// callerOf asks the management API of a hub in memory.
func callerOf(env *durabletest.Env) *caller {
	return &caller{client: &http.Client{Transport: inProcess{env.Client().ManagementAPI(dashboardAPI)}}, base: "http://localhost" + dashboardAPI + "/"}
}

// created finds when an instance was created, to the second: its history may have begun
// some 100 ns later.
var created = regexp.MustCompile(`("createdTime":"[0-9T:-]+)[.0-9]*`)

// shown is all that the management API shows of an instance, its history included.
func shown(t *testing.T, c *caller, id string) (all string) {
	t.Helper()
	for _, r := range []request{
		{path: ""}, {path: "/details"}, {path: "/events"}, {path: "/rows"}, {path: "", query: url.Values{"showHistory": {"true"}, "showHistoryOutput": {"true"}}},
	} {
		r.method, r.path = http.MethodGet, instancePath(id)+r.path
		got, err := c.send(t.Context(), r)
		if err != nil {
			t.Fatalf("%s: %v", r.path, err)
		}
		all += created.ReplaceAllString(string(got), "$1") + "\n"
	}
	return all
}

// parcels calls as many activities as its input says, and fails below none.
func parcels() []durable.Registration {
	return []durable.Registration{charge("Charge"), durable.NewOrchestrator("Parcel", func(ctx *durable.Context, n int) (string, error) {
		ctx.SetCustomStatus(map[string]int{"parcels": n})
		if n < 0 {
			return "", fmt.Errorf("%d parcels", n)
		}
		for range n {
			if _, err := durable.CallActivity[string](ctx, "Charge", nil).Await(); err != nil {
				return "", err
			}
		}
		return "sent", nil
	})}
}

// parcel is the orchestrator of parcels.
var parcel = durable.DeclareOrchestrator[int, string]("Parcel")

// What was exported of one hub is in another one as it was: status, history, tags,
// times, and what the dashboard shows. Nothing of it goes on there.
func TestExportAndImport(t *testing.T) {
	dir := t.TempDir()
	ids, before := []string{"a b", "large", "failed"}, map[string]string{}
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		for n, id := range ids {
			durabletest.Start(env, parcel, []int{2, 80, -1}[n], durable.WithInstanceID(id), durable.WithTags(map[string]string{"region": "eu"}))
		}
		env.RunUntilIdle()
		o := exportOptions{out: dir, max: 10}
		o.status = "Completed,Failed"
		if err := o.save(t.Context(), callerOf(env), &bytes.Buffer{}, &progress{}); err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			before[id] = shown(t, callerOf(env), id)
		}
	}, parcels()...)
	saved, err := readExports([]string{dir})
	if err != nil || len(saved) != len(ids) {
		t.Fatalf("%d files, %v", len(saved), err)
	}
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		c := callerOf(env)
		write := func(replace bool, want string) {
			t.Helper()
			var said bytes.Buffer
			o := importOptions{replace: replace}
			if err := o.write(t.Context(), c, saved, &said, &progress{}); err != nil || said.String() != want+"\n" {
				t.Errorf("%v: %s, want %s", err, &said, want)
			}
		}
		write(false, "3 instances imported")
		write(false, "0 instances imported, 3 were there")
		write(true, "3 instances imported")
		env.RunUntilIdle() // nothing goes on
		for _, id := range ids {
			after, was := strings.Split(shown(t, c, id), "\n"), strings.Split(before[id], "\n")
			for n := range was {
				if after[n] != was[n] {
					t.Errorf("%s is\n%s\nwas\n%s", id, after[n], was[n])
				}
			}
		}
		if calls := env.Calls("Charge"); len(calls) != 0 {
			t.Errorf("%d activities ran", len(calls))
		}
	}, parcels()...)
}

// A failed instance goes on in its new hub when it is rewound there, with what had
// succeeded before.
func TestImportedInstanceIsRewound(t *testing.T) {
	dir := t.TempDir()
	pay := durable.DeclareActivity[string, string]("Pay")
	functions := func(broken bool) []durable.Registration {
		return []durable.Registration{
			pay.Implement(func(_ context.Context, what string) (string, error) {
				if broken && what == "second" {
					return "", errors.New("the bank is closed")
				}
				return "paid " + what, nil
			}),
			durable.NewOrchestrator("Bills", func(ctx *durable.Context, _ durable.None) (string, error) {
				first, err := pay.Call(ctx, "first").Await()
				if err != nil {
					return "", err
				}
				second, err := pay.Call(ctx, "second").Await()
				return first + ", " + second, err
			}),
		}
	}
	bills := durable.DeclareOrchestrator[durable.None, string]("Bills")
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		durabletest.Start(env, bills, durable.None{}, durable.WithInstanceID("b"))
		env.RunUntilIdle()
		o := exportOptions{out: dir, max: 10}
		o.status = "Failed"
		if err := o.save(t.Context(), callerOf(env), &bytes.Buffer{}, &progress{}); err != nil {
			t.Fatal(err)
		}
	}, functions(true)...)
	saved, err := readExports([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		if err := new(importOptions).write(t.Context(), callerOf(env), saved, &bytes.Buffer{}, &progress{}); err != nil {
			t.Fatal(err)
		}
		if err := env.Client().Rewind(t.Context(), "b", "the bank is open"); err != nil {
			t.Fatal(err)
		}
		env.RunUntilIdle()
		got, err := bills.Get(env.Client(), "b").Result(t.Context())
		if calls := env.Calls("Pay"); err != nil || got != "paid first, paid second" || len(calls) != 1 {
			t.Errorf("%q, %v after %d calls", got, err, len(calls))
		}
	}, functions(false)...)
}

// What cannot be imported is refused with its reason, and the files before and behind it
// are none the worse.
func TestImportRefuses(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	running := put("running"+exportEnd, `[{"PartitionKey":"r","RowKey":"0","EventType":"ExecutionStarted"}]`)
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{nil, 2, "want: durable import FILE..."},
		{[]string{filepath.Join(dir, "none.json")}, 1, "none.json"},
		{[]string{put("text.json", "hello")}, 1, "is not what durable export saves"},
		{[]string{put("status.json", `{"instanceId":"i"}`)}, 1, "is not what durable export saves"},
		{[]string{put("empty.json", `[]`)}, 1, "is not what durable export saves"},
		{[]string{running}, 1, "instance r had not finished"},
		{[]string{dir}, 1, "instance r had not finished"},
		{[]string{t.TempDir()}, 1, "no files *" + exportEnd},
		{[]string{"-h"}, 0, "durable import FILE..."},
	} {
		got := durableTool(t, append([]string{"import"}, c.args...)...)
		if got.code != c.code || !strings.Contains(got.out+got.problems, c.says) {
			t.Errorf("import %q: %+v, want %d with %q", c.args, got, c.code, c.says)
		}
	}
}

// An app that runs is asked, or its storage: what was purged is there again.
func TestImportIntoAnApp(t *testing.T) {
	a := startApp(t)
	for way, flags := range a.ways() {
		id, histories := "greet-"+way, filepath.Join(t.TempDir(), "histories")
		for _, c := range []struct {
			args string
			code int
			says string
		}{
			{"run Greet --input \"Ann\" --id " + id, 0, "Hello Ann"},
			{"export --status Completed --prefix " + id + " --out " + histories, 0, "1 histories"},
			{"import " + histories, 0, "0 instances imported, 1 were there"},
			{"purge " + id, 0, ""},
			{"show " + id, absentCode, ""},
			{"import " + histories, 0, "1 instances imported"},
			{"show " + id, 0, "Hello Ann"},
			{"wait " + id, 0, "Hello Ann"},
			{"run Greet --input \"Bob\" --id " + id, 0, "Hello Bob"}, // over what was imported
			{"import " + histories, 1, "exists already"},
		} {
			if got := durableTool(t, append(strings.Fields(c.args), flags...)...); got.code != c.code || !strings.Contains(got.out+got.problems, c.says) {
				t.Errorf("%s: %s: %+v, want %d with %q", way, c.args, got, c.code, c.says)
			}
		}
	}
}

// From the hub of an app into another one on the storage emulator: by storage and by
// the app, read by the commands, consistent, and put aside when it is there.
func TestImportOnAzurite(t *testing.T) {
	t.Setenv("AzureWebJobsStorage", "")
	connection := azuritetest.Server(t).ConnectionString()
	name := azuritetest.HubName()
	dir := app(t, name, connection)
	hub, err := openHub(name, environment{own: []string{"AzureWebJobsStorage=" + connection}})
	if err != nil {
		t.Fatal(err)
	}
	if err := hub.Create(t.Context(), taskhub.Owner{}); err != nil {
		t.Fatal(err)
	}
	histories := filepath.Join(t.TempDir(), "histories")
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		durabletest.Start(env, parcel, 60, durable.WithInstanceID("order-7"), durable.WithTags(map[string]string{"region": "eu"}))
		durabletest.Start(env, parcel, -1, durable.WithInstanceID("order-8"))
		env.RunUntilIdle()
		o := exportOptions{out: histories, max: 10}
		o.status = "Completed,Failed"
		if err := o.save(t.Context(), callerOf(env), &bytes.Buffer{}, &progress{}); err != nil {
			t.Fatal(err)
		}
	}, parcels()...)
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"import", histories, "--dir", dir}, 0, "2 instances imported"},
		{[]string{"import", histories, "--dir", dir}, 0, "0 instances imported, 2 were there"},
		{[]string{"show", "order-7", "--dir", dir}, 0, "Completed"},
		{[]string{"show", "order-8", "--dir", dir}, 0, "-1 parcels"},
		{[]string{"history", "order-7", "--dir", dir}, 0, "Charge"},
		{[]string{"list", "--tag", "region=eu", "--from", "1999-01-01T00:00:00Z", "--dir", dir}, 0, "order-7"},
		{[]string{"hub", "check", "--older", "1ms", dir}, 0, "0 findings"},
		{[]string{"import", histories, "--replace", "--dir", dir}, 0, "2 instances imported"},
		{[]string{"hub", "check", "--older", "1ms", dir}, 0, "0 findings"},
		{[]string{"purge", "order-7", "--dir", dir}, 0, ""},
		{[]string{"import", histories, "--dir", dir}, 0, "1 instances imported, 1 were there"},
	} {
		if got := durableTool(t, c.args...); got.code != c.code || !strings.Contains(got.out+got.problems, c.says) {
			t.Errorf("%q: %+v, want %d with %q", c.args, got, c.code, c.says)
		}
	}
	var list []struct{ InstanceID, RuntimeStatus string }
	got := durableTool(t, "list", "--from", "1999-01-01T00:00:00Z", "-o", "json", "--dir", dir)
	if err := json.Unmarshal([]byte(got.out), &list); err != nil || len(list) != 2 {
		t.Errorf("%v: %+v", err, got)
	}
	if !slices.ContainsFunc(list, func(i struct{ InstanceID, RuntimeStatus string }) bool { return i.RuntimeStatus == "Failed" }) {
		t.Errorf("%+v", list)
	}
}
