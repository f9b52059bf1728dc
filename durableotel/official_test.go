package durableotel_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// scenario plays what was recorded with the official extension.
type scenario struct {
	name string
	play func(ctx context.Context, t *testing.T, env *durabletest.Env)
	// differs says, by the name of the span and what is compared, where ours is another
	// on purpose.
	differs func(s *span)
}

func start[In, Out any](o *durable.Orchestrator[In, Out], in In) func(context.Context, *testing.T, *durabletest.Env) {
	return func(ctx context.Context, t *testing.T, env *durabletest.Env) { ended(begin(ctx, t, env, o, in)) }
}

// ended waits for an orchestration, however it ends.
func ended[Out any](run *durabletest.Instance[Out]) { _, _ = run.Result() }

// begin starts an orchestration within the caller's trace.
func begin[In, Out any](ctx context.Context, t *testing.T, env *durabletest.Env, o *durable.Orchestrator[In, Out], in In) *durabletest.Instance[Out] {
	t.Helper()
	if _, err := o.Start(ctx, env.Client(), in, durable.WithInstanceID("id")); err != nil {
		t.Fatal(err)
	}
	return durabletest.Find[Out](env, "id")
}

var scenarios = []scenario{
	{name: "chain", play: start(chain, durable.None{})},
	{name: "fanout5", play: start(fanOut, durable.None{})},
	{name: "activity_throw", play: start(actThrow, durable.None{})},
	{name: "activity_throw_caught", play: start(actThrowCaught, durable.None{})},
	{name: "sub_activity_fail", play: start(parentActFail, durable.None{})},
	{name: "any_activity_wins", play: start(anyActivityWins, durable.None{})},
	{name: "continue_as_new", play: start(canThree, 0)},
	{name: "retry_third", play: start(retryThird, "key")},
	{name: "sub_explicit_id", play: start(parentID, durable.None{})},
	{name: "timer_2s", play: start(timer2, durable.None{})},
	{name: "terminate", play: func(ctx context.Context, t *testing.T, env *durabletest.Env) {
		run := begin(ctx, t, env, long, durable.None{})
		pause(time.Second)
		run.Terminate("enough")
		ended(run)
	}},
	{name: "event", play: func(ctx context.Context, t *testing.T, env *durabletest.Env) {
		run := begin(ctx, t, env, waitGo, durable.None{})
		pause(time.Second)
		run.RaiseEvent("Go", "x")
		ended(run)
	}},
	{name: "suspend", play: func(ctx context.Context, t *testing.T, env *durabletest.Env) {
		run := begin(ctx, t, env, suspendMe, durable.None{})
		pause(time.Second)
		run.Suspend("wait")
		pause(time.Second)
		run.RaiseEvent("Go", "x")
		pause(time.Second)
		run.Resume("go on")
		ended(run)
	}},
	{name: "entity_call", play: start(entityCaller, "kccceaa")},
	{name: "entity_throw", play: start(entityThrowCaller, "k37f6ac"), differs: func(s *span) {
		if s.attributes["durabletask.type"] == "entity" { // the official ones do not say that it has failed
			s.status = "Error"
		}
		if s.attributes["durabletask.entity.error_message"] == "{}" {
			s.attributes["durabletask.entity.error_message"] = "bad"
		}
	}},
	{name: "entity_signal", play: func(ctx context.Context, t *testing.T, env *durabletest.Env) {
		ended(begin(ctx, t, env, entitySignaler, "k42f46a"))
		pause(5 * time.Second)
	}},
}

// TestOfficialSpans: names, kinds, parents, statuses and attributes are those of the
// official extension.
func TestOfficialSpans(t *testing.T) {
	recorded, err := filepath.Glob("testdata/official/*.json")
	if err != nil || len(recorded) != len(scenarios) {
		t.Fatalf("%d recordings for %d scenarios: %v", len(recorded), len(scenarios), err)
	}
	for _, settings := range []string{`{}`, `{"dispatch": "queue"}`} {
		t.Run(settings, func(t *testing.T) { playOfficial(t, settings) })
	}
}

func playOfficial(t *testing.T, settings string) {
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			r := record()
			durabletest.Options{App: r.app, Settings: settings}.Run(t, func(t *testing.T, env *durabletest.Env) { s.play(caller(t), t, env) }, functions...)
			if twice := doubled(r.spans.GetSpans()); twice != "" {
				t.Errorf("span %s was written twice", twice)
			}
			want := official(t, s)
			got := spansOf(r.spans.GetSpans())
			for i := range got {
				got[i].onlyOfficial()
			}
			if want, got := tree(want, line), tree(got, line); got != want {
				t.Errorf("official:\n%s\nours:\n%s", want, got)
			}
		})
	}
}

// onlyOfficial leaves out what the official spans do not have, and texts that depend on
// the language.
func (s *span) onlyOfficial() {
	for name := range s.attributes {
		if strings.HasPrefix(name, "durable.") {
			delete(s.attributes, name)
		}
	}
	if strings.HasPrefix(s.name, "orchestration:") && s.text != "Terminated" || strings.HasPrefix(s.name, "entity:") {
		s.text = ""
	}
	s.links = 0
	if !strings.HasPrefix(s.name, "orchestration:") {
		s.events = nil // only orchestrations have exceptions there
	}
	if strings.HasPrefix(s.name, "orchestration_event:") {
		s.parent = "raiser" // it is in the trace of the raiser
	}
}

func official(t *testing.T, sc scenario) (out []span) {
	t.Helper()
	raw, err := os.ReadFile("testdata/official/" + sc.name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		Spans []struct {
			Name, Kind, Trace, Span, Parent, Status, StatusText string
			Attributes                                          map[string]string
			Events                                              []struct{ Name string }
		}
	}
	if err := json.Unmarshal(raw, &recorded); err != nil {
		t.Fatal(err)
	}
	for _, r := range recorded.Spans {
		s := span{name: r.Name, kind: r.Kind, status: r.Status, text: r.StatusText, id: r.Span, parent: r.Parent, attributes: map[string]string{}}
		for name, v := range r.Attributes {
			s.attributes[name] = strings.ReplaceAll(v, "{id}", "id")
		}
		for _, e := range r.Events {
			s.events = append(s.events, e.Name)
		}
		s.onlyOfficial()
		if sc.differs != nil {
			sc.differs(&s)
		}
		out = append(out, s)
	}
	return out
}
