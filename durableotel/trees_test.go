package durableotel_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	sender = durable.NewOrchestrator("Sender", func(ctx *durable.Context, to string) (string, error) {
		return "", ctx.SendEvent(to, "Go", "x")
	})
	starter = durable.NewOrchestrator("Starter", func(ctx *durable.Context, _ durable.None) (string, error) {
		return child.StartDetached(ctx, durable.None{}, durable.WithInstanceID("detached"))
	})
	stepper = durable.NewOrchestrator("Stepper", func(ctx *durable.Context, _ durable.None) (string, error) {
		durable.SideEffect(ctx, func() int { return 1 })
		durable.Patched(ctx, "change")
		return durable.Step(ctx, "Look", func(ctx context.Context) (string, error) {
			if durable.ActivityInfo(ctx).Attempt < 2 {
				return "", errors.New("not yet")
			}
			return "seen", nil
		}, durable.WithRetry(durable.RetryPolicy{MaxAttempts: 2, FirstInterval: time.Second})).Await()
	})

	relays = durable.NewEntity[int]("Relay")
	relay  = durable.NewCommand(relays, "pass", func(_ *int, ctx *durable.EntityContext, to string) error {
		if _, err := child.StartFrom(ctx, durable.None{}, durable.WithInstanceID("started")); err != nil {
			return err
		}
		return add.Signal(ctx, to, 1)
	})

	// everything is a bit of all that has spans.
	everything = durable.NewOrchestrator("Everything", func(ctx *durable.Context, generation int) (string, error) {
		_, err := flaky.Call(ctx, "key", durable.WithRetry(durable.RetryPolicy{MaxAttempts: 3, FirstInterval: time.Second})).Await()
		if err == nil {
			_, err = durable.All(hello.Call(ctx, "a"), hello.Call(ctx, "b"), child.Call(ctx, durable.None{}, durable.WithInstanceID(fmt.Sprint("child", generation))))
		}
		if err == nil {
			_, err = add.Call(ctx, "c", 1).Await()
		}
		if err == nil {
			_, err = durable.WaitForEvent[string](ctx, "Go").Await()
		}
		if err == nil {
			err = ctx.Sleep(time.Second)
		}
		if err == nil && generation == 0 {
			return durable.ContinueAsNew[string](ctx, 1)
		}
		return "", err
	})
)

var more = append([]durable.Registration{sender, starter, stepper, relays, everything, rewindable, failsOnce}, functions...)

// ours are what the official recordings do not have.
var ours = []scenario{
	{name: "links", play: func(ctx context.Context, t *testing.T, env *durabletest.Env) {
		run := begin(ctx, t, env, waitGo, durable.None{})
		ended(durabletest.Start(env, sender, "id", durable.WithInstanceID("sender")))
		ended(run)
	}},
	{name: "detached", play: func(ctx context.Context, t *testing.T, env *durabletest.Env) {
		ended(begin(ctx, t, env, starter, durable.None{}))
		ended(durabletest.Find[string](env, "detached"))
	}},
	{name: "steps", play: start(stepper, durable.None{})},
	{name: "entities", play: func(ctx context.Context, t *testing.T, env *durabletest.Env) {
		if err := relay.Send(ctx, env.Client(), "r", "k"); err != nil {
			t.Fatal(err)
		}
		pause(10 * time.Second)
		if n, err := get.Do(ctx, env.Client(), "k", durable.None{}); n != 1 || err != nil {
			t.Errorf("the entity has %d (%v)", n, err)
		}
		ended(durabletest.Find[string](env, "started"))
	}},
	{name: "everything", play: playEverything},
	{name: "rewind", play: func(ctx context.Context, t *testing.T, env *durabletest.Env) {
		failures.Store(0)
		run := begin(ctx, t, env, rewindable, durable.None{})
		ended(run)
		run.Rewind("again")
		pause(10 * time.Second)
		ended(run)
	}},
}

func playEverything(ctx context.Context, t *testing.T, env *durabletest.Env) {
	run := begin(ctx, t, env, everything, 0)
	for range 2 {
		pause(2 * time.Minute)
		run.RaiseEvent("Go", "x")
	}
	pause(2 * time.Minute)
	if s := run.Status(); s.RuntimeStatus != durable.StatusCompleted {
		t.Errorf("it is %v", s.RuntimeStatus)
	}
}

// TestTrees: the spans of what the official extension has none of, or was not recorded
// with. Each is there once, and the tree is that of the golden file.
func TestTrees(t *testing.T) {
	for _, s := range ours {
		t.Run(s.name, func(t *testing.T) {
			r := record()
			durabletest.Options{App: r.app}.Run(t, func(t *testing.T, env *durabletest.Env) { s.play(caller(t), t, env) }, more...)
			if twice := doubled(r.spans.GetSpans()); twice != "" {
				t.Errorf("span %s was written twice", twice)
			}
			compare(t, s.name, tree(spansOf(r.spans.GetSpans()), line))
		})
	}
}

func compare(t *testing.T, name, got string) {
	t.Helper()
	file := "testdata/trees/" + name + ".txt"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s (renew: go test -run %s -update):\n%s\ngot:\n%s", file, t.Name(), want, got)
	}
}

// TestLinksOfContinuations: an orchestration has links to the senders of all events, of
// those that an earlier execution has taken in, and of those that it has kept for the
// next one. Each is there once, whether or not the process has died in between.
func TestLinksOfContinuations(t *testing.T) {
	takesOne := durable.NewOrchestrator("TakesOne", func(ctx *durable.Context, n int) (string, error) {
		if _, err := durable.WaitForEvent[string](ctx, "Go").Await(); err != nil {
			return "", err
		}
		if n < 3 {
			return durable.ContinueAsNew[string](ctx, n+1)
		}
		return "done", ctx.Sleep(time.Second)
	})
	r := record()
	durabletest.Options{App: r.app}.EveryCrash(t, func(t *testing.T, env *durabletest.Env) {
		r.spans.Reset()
		run := begin(caller(t), t, env, takesOne, 1)
		for range 3 { // the first execution takes one, and keeps what it has not taken
			run.RaiseEvent("Go", "x")
		}
		pause(2 * time.Minute)
		var sent, linked []string
		for _, s := range r.spans.GetSpans() {
			switch s.Name {
			case "orchestration_event:Go":
				sent = append(sent, s.SpanContext.SpanID().String())
			case "orchestration:TakesOne":
				for _, l := range s.Links {
					linked = append(linked, l.SpanContext.SpanID().String())
				}
			}
		}
		slices.Sort(sent)
		slices.Sort(linked)
		lost := strings.Contains(t.Name(), "after") && linked == nil // with the process that had it
		if len(sent) != 3 || !lost && !slices.Equal(sent, linked) {
			t.Errorf("sent by %q, linked to %q", sent, linked)
		}
	}, takesOne)
}

// TestEveryCrash: wherever the process dies, no span is written twice and none has
// another parent. What a process has committed just before it died is missing; where it
// has not died, or not yet committed, nothing is.
func TestEveryCrash(t *testing.T) {
	want, err := os.ReadFile("testdata/trees/everything.txt")
	if err != nil {
		t.Fatal(err)
	}
	r := record()
	durabletest.Options{App: r.app}.EveryCrash(t, func(t *testing.T, env *durabletest.Env) {
		r.spans.Reset()
		playEverything(caller(t), t, env)
		stubs := r.spans.GetSpans()
		if twice := doubled(stubs); twice != "" {
			t.Errorf("span %s was written twice", twice)
		}
		got := tree(onceEach(spansOf(stubs)), line)
		dies := strings.Contains(t.Name(), "after")
		if !dies && got != string(want) {
			t.Errorf("want:\n%s\ngot:\n%s", want, got)
		}
		if dies {
			onlyMissing(t, string(want), got)
		}
	}, more...)
}

// onceEach leaves one of the runs of an activity, which a crash may repeat.
func onceEach(spans []span) (out []span) {
	seen := map[string]bool{}
	for _, s := range spans {
		if key := s.name + s.parent; s.kind == "Server" && strings.HasPrefix(s.name, "activity:") {
			if seen[key] {
				continue
			}
			seen[key] = true
		}
		out = append(out, s)
	}
	return out
}

// onlyMissing fails the test where a span is there that is not wanted. What hangs below
// one that is missing is at the left.
func onlyMissing(t *testing.T, want, got string) {
	t.Helper()
	left := map[string]int{}
	for l := range strings.Lines(want) {
		left[strings.TrimSpace(l)]++
	}
	n := 0
	for l := range strings.Lines(got) {
		n++
		if l = strings.TrimSpace(l); left[l] == 0 {
			t.Errorf("unwanted span: %s\nall:\n%s", l, got)
		} else {
			left[l]--
		}
	}
	if missing := strings.Count(want, "\n") - n; missing > 4 {
		t.Errorf("%d spans are missing, more than one commit ends:\n%s", missing, got)
	}
}
