package hubcheck_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	userrun "github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/entity"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/worker"
)

// entities lets a process that has an entity work on the hub for some minutes.
func (r *rig) entities() {
	r.Helper()
	w, err := worker.New(worker.Options{
		Store:      r.hub,
		Programs:   func(string, string) (engine.Program, error) { return nil, errors.New("there is none") },
		Activities: func(string) (userrun.Func, error) { return nil, errors.New("there is none") },
		Control:    taskhub.ControlQueue(hubName), WorkItems: func(string) string { return taskhub.WorkItemQueue(hubName) }, Log: slog.New(slog.DiscardHandler),
		Entities: func(string) (*entity.Code, error) {
			return &entity.Code{Run: func(_ context.Context, op *entity.Operation) *entity.Outcome {
				return &entity.Outcome{State: op.Input, Result: op.Input}
			}}, nil
		},
	})
	r.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	w.Poll(ctx, taskhub.ControlQueue(hubName))
	<-time.After(5 * time.Minute)
	cancel()
	w.Kill()
}

func (r *rig) ask(id string, request history.EntityRequest) {
	r.Helper()
	now := time.Now().UTC()
	r.must(r.hub.Tell(r.Context(), id, &taskhub.Telling{ID: request.ID, Sent: now, Event: &history.Event{
		Type: history.EventRaised, ID: history.NoID, Timestamp: now, Name: history.EntityOperation, Input: request.Encode(),
	}}))
}

// A check finds what is wrong with an entity, and mends what can be mended; one that is
// whole is left alone.
func TestEntities(t *testing.T) {
	const id = "@counter@a"
	page, err := os.ReadFile("../../docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range []damage{
		{"", false, func(*rig, string) {}},
		{"inbox-waits", false, func(r *rig, id string) {
			r.ask(id, history.EntityRequest{Operation: "set", ID: taskhub.NewGUID(), Signal: true})
		}},
		{"inbox-undecodable", false, func(r *rig, id string) {
			r.history(id, "ugarbage", map[string]any{"EventType": "EventRaised"})
		}},
		{"lock-orphaned", false, func(r *rig, id string) {
			set := []history.EntityID{history.NewEntityID("counter", "a")}
			r.ask(id, history.EntityRequest{LockSet: set, ID: taskhub.NewGUID(), Parent: "gone", ParentExecution: "e"})
			r.send(taskhub.Look(id, "lock", time.Now()))
			r.entities()
		}},
		{"entity-not-shown", false, func(r *rig, id string) { r.remove(hubName+"Instances", id, "") }},
		{"entity-not-shown", false, func(r *rig, id string) { r.instances(id, map[string]any{"ExecutionId": "older"}) }},
		{"row-undecodable", false, func(r *rig, id string) { r.instances(id, map[string]any{"RuntimeStatus": "Slept"}) }},
		{"row-foreign", false, func(r *rig, id string) { r.put(hubName+"Instances", id, "x", nil) }},
		{"history-foreign", true, func(r *rig, id string) { r.history(id, "sentinel", map[string]any{"GoFormat": 99}) }},
		{"entity-unreadable", true, func(r *rig, id string) { r.history(id, "sentinel", map[string]any{"GoNextRow": "zz"}) }},
	} {
		t.Run(fmt.Sprint(d.kind, " ", i), func(t *testing.T) {
			if !strings.Contains(string(page), "`"+d.kind+"`") && d.kind != "" {
				t.Errorf("docs/reliability.md does not say what %s is", d.kind)
			}
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				c := client.New(r.hub, client.Options{Queue: taskhub.ControlQueue(hubName)})
				r.must(c.SignalEntities(t.Context(), client.EntityRequest{Entity: history.NewEntityID("counter", "a"), Operation: "set", Input: history.Payload(`7`)}))
				r.entities()
				d.make(r, id)
				<-time.After(2 * time.Hour)
				if d.kind == "" {
					if found := r.check(true); len(found.Findings) > 0 {
						t.Errorf("%+v", found.Findings)
					}
					return
				}
				if f := find(t, r.check(false), d.kind); f == nil {
					return
				} else if f.Repaired || (f.Repair == "") != d.kept {
					t.Errorf("%+v", f)
				}
				r.check(true)
				r.entities()
				<-time.After(2 * time.Hour)
				for _, f := range r.check(false).Findings {
					if f.Kind != d.kind || !d.kept {
						t.Errorf("left after the repair: %+v", f)
					}
				}
			})
		})
	}
}
