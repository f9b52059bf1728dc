package durable

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
	"github.com/durable-go/functions/internal/worker"
)

var saveFormat = flag.Bool("save-format", false, "save hubs of today's format where there are none yet")

// savedAt are the moments at which a process ends and the hub is saved.
var savedAt = []time.Duration{20 * time.Millisecond, 900 * time.Millisecond, 4300 * time.Millisecond, 8 * time.Second}

const (
	// formatRuns is how many instances do everything, each formatApart after the one
	// before: so some are at each of its steps when the hub is saved.
	formatRuns  = 6
	formatApart = 740 * time.Millisecond
)

// formatApp is an app with one of everything that is kept in a hub.
type formatApp struct {
	*hub
	work    *Activity[int, int]
	fails   *Activity[None, int]
	measure *Activity[string, string]
	add     *Operation[int, int]
	counter func(key string) EntityID
	child   *Orchestrator[int, int]
	mixed   *Orchestrator[int, string]
	broken  *Orchestrator[None, int]
}

func newFormatApp(t *testing.T) *formatApp {
	type counter struct{ N int }
	counters := NewEntity[counter]("Counter")
	a := &formatApp{
		hub: &hub{t: t, registry: newRegistry(), dispatch: worker.Local},
		work: NewActivity("Work", func(ctx context.Context, n int) (int, error) {
			select {
			case <-time.After(300 * time.Millisecond):
			case <-ctx.Done():
			}
			return n + 1, nil
		}),
		fails:   NewActivity("Fails", func(context.Context, None) (int, error) { return 0, errors.New("no luck") }),
		measure: NewActivity("Measure", func(_ context.Context, text string) (string, error) { return text + text, nil }),
		add:     NewOperation(counters, "Add", func(c *counter, _ *EntityContext, n int) (int, error) { c.N += n; return n, nil }),
		counter: counters.ID,
		mixed:   DeclareOrchestrator[int, string]("Mixed"),
	}
	mended := NewActivity("Mended", func(context.Context, None) (int, error) {
		if time.Now().Before(time.Date(2000, 1, 1, 0, 1, 0, 0, time.UTC)) {
			return 0, errors.New("not yet")
		}
		return 7, nil
	})
	a.broken = NewOrchestrator("Broken", func(ctx *Context, _ None) (int, error) { return mended.Call(ctx, None{}).Await() })
	a.child = NewOrchestrator("Child", a.runChild)
	for _, f := range []Registration{a.work, a.fails, mended, a.measure, counters, a.child, a.broken, a.mixed.Implement(a.runMixed)} {
		if err := f.register(a.registry); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func (a *formatApp) runChild(ctx *Context, n int) (int, error) {
	if n < 0 {
		return 0, errors.New("below zero")
	}
	if err := ctx.Sleep(2 * time.Second); err != nil {
		return 0, err
	}
	return a.work.Call(ctx, n).Await()
}

func (a *formatApp) runMixed(ctx *Context, generation int) (string, error) {
	var said []string
	say := func(v any, err error) {
		if err != nil {
			v = err
		}
		said = append(said, fmt.Sprint(v))
	}
	numbers, err := All(a.work.Call(ctx, 1), a.work.Call(ctx, 2), a.work.Call(ctx, 3))
	say(numbers, err)
	ctx.SetCustomStatus("begun")
	say(a.fails.Call(ctx, None{}, WithRetry(RetryPolicy{MaxAttempts: 2, FirstInterval: time.Second})).Await())
	say(a.child.Call(ctx, 10, WithTags(map[string]string{"kind": "child"})).Await())
	say(a.child.Call(ctx, -1).Await())
	own, shared := a.counter(ctx.InstanceID()), a.counter("shared")
	say(a.add.Call(ctx, own.Key, 5).Await())
	say(Critical(ctx, func() (int, error) { return a.add.Call(ctx, own.Key, 2).Await() }, own, shared))
	say("signal", SignalEntity(ctx, shared, "Add", 1))
	large, err := a.measure.Call(ctx, strings.Repeat(ctx.InstanceID(), 20_000)).Await()
	say(len(large) > 100_000, err)
	if generation == 1 {
		_, err := a.child.StartDetached(ctx, 20)
		say("detached", err)
	}
	say("sent", ctx.SendEvent(ctx.InstanceID(), "note", generation))
	say(WaitForEvent[int](ctx, "note").Await())
	ctx.SetCustomStatus("waits")
	say(WaitForEvent[string](ctx, "go", WithTimeout(time.Hour)).Await())
	if generation < 2 {
		return a.mixed.ContinueAsNew(ctx, generation+1)
	}
	return strings.Join(said, ", "), nil
}

const formatWant = "[2 3 4], Activity function 'Fails' failed: no luck, 11, Orchestrator function 'Child' failed: below zero, 5, 2, signal, true, sent, 2, now"

// script is what clients do until the hub is saved, when ctx ends.
func (a *formatApp) script(ctx context.Context) {
	check := func(err error) {
		if err != nil && ctx.Err() == nil {
			a.t.Error(err)
		}
	}
	start := func(id string, options ...StartOption) {
		_, err := a.mixed.Start(ctx, a.client(), 1, append(options, WithInstanceID(id))...)
		check(err)
	}
	_, err := a.broken.Start(ctx, a.client(), None{}, WithInstanceID("broken"))
	check(err)
	start("later", WithStartTime(time.Now().Add(time.Minute)), WithTags(map[string]string{"a": "b"}))
	start("suspended")
	start("terminated")
	check(a.client().Suspend(ctx, "suspended", "wait"))
	check(a.client().Terminate(ctx, "terminated", "enough"))
	for i := range formatRuns {
		id := fmt.Sprint("run", i)
		start(id)
		check(a.client().RaiseEvent(ctx, id, "go", "now"))
		select {
		case <-time.After(formatApart):
		case <-ctx.Done():
			return
		}
	}
	check(a.client().Rewind(ctx, "broken", "try again"))
	check(a.client().Resume(ctx, "suspended", "go on"))
	<-time.After(time.Second)
	check(a.client().Suspend(ctx, "suspended", "wait again"))
}

func (h *hub) check(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Error(err)
	}
}

// What hubs hold that older versions of this module have written, and ended while
// they worked on it, is finished by this one.
func TestFormatsOfOldVersions(t *testing.T) {
	newest := filepath.Join("testdata", "format", strconv.Itoa(azure.Format))
	if *saveFormat {
		saveFormats(t, newest)
	}
	paths, err := filepath.Glob(filepath.Join("testdata", "format", "*", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(newest); err != nil {
		t.Fatalf("no hub of this format is kept (run this test with -save-format): %v", err)
	}
	missing := map[string]bool{}
	for kind := history.ExecutionStarted; kind <= history.ExecutionRewound; kind++ {
		missing[kind.String()] = true
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		notHeld(raw, missing)
		t.Run(path, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { finishSaved(t, raw) }) })
	}
	for kind := range missing {
		if !unheld[kind] {
			t.Errorf("no saved hub holds a %s", kind)
		}
	}
}

// unheld are the kinds of events that this module does not write: it reads them where
// others did.
var unheld = map[string]bool{"ContinueAsNew": true, "HistoryState": true, "ExecutionFailed": true, "ExecutionRewound": true}

// notHeld takes out the kinds of events of which the hub has one.
func notHeld(raw []byte, missing map[string]bool) {
	for kind := range missing {
		if strings.Contains(string(raw), `"value":"`+kind+`"`) {
			delete(missing, kind)
		}
	}
}

func saveFormats(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, at := range savedAt {
		path := filepath.Join(dir, at.String()+".json")
		if _, err := os.Stat(path); err == nil {
			continue // what is kept never changes
		}
		synctest.Test(t, func(t *testing.T) {
			a := newFormatApp(t)
			account := fake.New(3 * time.Millisecond)
			a.store = spied(t, &spy{Account: account})
			a.check(a.store.Create(t.Context(), taskhub.Owner{}))
			a.open()
			ctx, cancel := context.WithTimeout(t.Context(), at)
			defer cancel()
			a.script(ctx)
			<-ctx.Done()
			a.stop()
			a.worker.Kill()
			raw, err := account.Snapshot()
			if err == nil {
				err = os.WriteFile(path, raw, 0o600)
			}
			a.check(err)
		})
	}
}

// finishSaved starts a process of today on a hub that was saved, and tells its
// instances what they may still need.
func finishSaved(t *testing.T, raw []byte) {
	a := newFormatApp(t)
	account, at, err := fake.Restore(raw, 3*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	<-time.After(time.Until(at))
	a.store = spied(t, &spy{Account: account})
	a.open()
	defer func() { a.stop(); a.worker.Kill() }()
	var ids []string
	for s, err := range a.client().List(t.Context(), Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		if s.Name == "Mixed" && s.InstanceID != "terminated" {
			ids = append(ids, s.InstanceID)
		}
	}
	<-time.After(2 * time.Minute) // longer than any message is hidden
	if _, err := a.client().Status(t.Context(), "suspended"); err == nil {
		a.check(a.client().Resume(t.Context(), "suspended", "go on"))
	}
	for range 2 {
		for _, id := range ids {
			if err := a.client().RaiseEvent(t.Context(), id, "go", "now"); !errors.Is(err, ErrFinished) {
				a.check(err)
			}
		}
	}
	for _, id := range ids {
		got, err := a.mixed.Get(a.client(), id).Result(t.Context())
		want(a.hub, got, err, formatWant)
	}
	a.check(a.client().Rewind(t.Context(), "broken", "it is mended"))
	got, err := a.broken.Get(a.client(), "broken").Result(t.Context())
	want(a.hub, got, err, 7)
	if s, err := a.client().Status(t.Context(), "terminated"); !bytes.Contains(raw, []byte("enough")) {
		t.Log("the client had not come to terminate an instance")
	} else if err != nil || s.RuntimeStatus != StatusTerminated {
		t.Errorf("the terminated instance is %v, %v", s, err)
	}
}
