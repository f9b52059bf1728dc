package worker

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
)

// Timers, events, children and activities are asked for side by side: a fan-out of
// 300 costs a few round trips and not 300.
func TestFanOutIsSentSideBySide(t *testing.T) {
	const n, roundTrip = 300, 10 * time.Millisecond
	for kind, ask := range map[string]func(*engine.Runtime, int) *engine.Task{
		"activities": func(rt *engine.Runtime, _ int) *engine.Task { return rt.ScheduleActivity("A", nil, nil) },
		"children":   func(rt *engine.Runtime, _ int) *engine.Task { return rt.CallChild(&engine.Child{Name: "O"}) },
		"timers":     func(rt *engine.Runtime, _ int) *engine.Task { return rt.Timer(rt.Now().Add(time.Millisecond)) },
		"events": func(rt *engine.Runtime, i int) *engine.Task {
			_ = rt.SendEvent(fmt.Sprint("other", i), "e", nil)
			return nil
		},
	} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hub := hubtest.Strict(t)
				w := polling(t, late(t, hub, roundTrip), func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
					if rt.InstanceID() != "x" {
						return history.Payload(`1`), nil
					}
					return all(rt, n, func(i int) *engine.Task { return ask(rt, i) })
				}, func(o *Options) { o.ActivitySlots = 2000 })
				began := time.Now()
				start(t, hub, w, "x")
				row := finished(t, hub, "x", time.Hour)
				took := row.Completed.Sub(began)
				t.Log(took)
				if row.Status != history.Completed || took > n*roundTrip/3 {
					t.Errorf("%v %s after %v with requests of %v", row.Status, row.Output, took, roundTrip)
				}
			})
		})
	}
}

// What is recorded of work items on their way never outgrows its column, though
// each has a neighbour of another kind, and each runs once.
func TestSpilledAmongOthersFits(t *testing.T) {
	for _, test := range []struct {
		name     string
		dispatch Dispatch
		n        int
	}{{"local", Local, 1500}, {"queue", Queue, 3600}} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hub := hubtest.Strict(t)
				store := &hooked{Store: late(t, hub, time.Millisecond)}
				n := test.n
				var failed, ran atomic.Int64
				store.committed = func(err error) {
					if errors.Is(err, taskhub.ErrTooLarge) || errors.Is(err, taskhub.ErrRefused) {
						failed.Add(1)
					}
				}
				w := polling(t, store, func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
					return all(rt, n, func(int) *engine.Task {
						task := rt.ScheduleActivity("A", nil, nil)
						rt.WaitEventUntil("cancel", rt.Now().Add(time.Hour))
						return task
					})
				}, func(o *Options) {
					o.ActivitySlots, o.Dispatch = 20, test.dispatch
					o.Activities = only(func(context.Context) {
						ran.Add(1)
						<-time.After(time.Second)
					})
				})
				start(t, hub, w, "x")
				row := finished(t, hub, "x", 10*time.Minute)
				if row.Status != history.Completed || ran.Load() != int64(n) || failed.Load() > 0 {
					t.Errorf("%v %s: %d activities ran %d times, %d commits were refused", row.Status, row.Output, n, ran.Load(), failed.Load())
				}
			})
		})
	}
}

// Activities that are offered to others leave nothing behind among the contexts of
// the process.
func TestOfferedActivitiesLeaveNoContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := hubtest.Memory(t)
		store := &hooked{Store: hub}
		w := polling(t, store, each(4000), func(o *Options) {
			o.ActivitySlots, o.Patience = 4, 20*time.Millisecond
			o.Activities = only(func(context.Context) { <-time.After(10 * time.Millisecond) })
		})
		start(t, hub, w, "x")
		finished(t, hub, "x", time.Hour)
		<-time.After(time.Minute)
		if store.sends.Load() < 10 {
			t.Errorf("%d messages were sent: nothing was offered", store.sends.Load())
		}
		user := reflect.ValueOf(w.pool).Elem().FieldByName("user").Elem().Elem()
		if left := user.FieldByName("children").Len(); left > 0 {
			t.Errorf("%d contexts are left of activities that do not run any more", left)
		}
	})
}
