package watchjob_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/durable-go/functions/durabletest"
	checkjob "github.com/durable-go/functions/samples/monitor/CheckJob"
	watchjob "github.com/durable-go/functions/samples/monitor/WatchJob"
)

// doneAfter makes jobs take that long.
func doneAfter(env *durabletest.Env, takes time.Duration) {
	begun := env.Now()
	durabletest.Replace(env, checkjob.Activity, func(context.Context, string) (bool, error) {
		return time.Since(begun) >= takes, nil
	})
}

// Looks are after 0, 1, 3, 7, 15 ... minutes, until the job is done or the time is up.
func TestLooks(t *testing.T) {
	for _, c := range []struct {
		name  string
		takes time.Duration
		want  watchjob.Seen
	}{
		{"done at once", 0, watchjob.Seen{Done: true, Looks: 1}},
		{"done after a while", 6 * time.Minute, watchjob.Seen{Done: true, Looks: 4}},
		{"never done", 1000 * time.Hour, watchjob.Seen{Looks: 6}},
	} {
		t.Run(c.name, func(t *testing.T) {
			durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
				doneAfter(env, c.takes)
				got, err := durabletest.Start(env, watchjob.Orchestrator, watchjob.Watch{Job: "j", EverySeconds: 60, ForMinutes: 60}).Result()
				if err != nil || got != c.want {
					t.Errorf("got %+v, %v, want %+v", got, err, c.want)
				}
			}, watchjob.Orchestrator, checkjob.Activity)
		})
	}
}

// A service that does not answer for a moment does not end the watch.
func TestBusyService(t *testing.T) {
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		doneAfter(env, 0)
		env.Fail("CheckJob", 2, errors.New("busy"))
		if got, err := durabletest.Start(env, watchjob.Orchestrator, watchjob.Watch{Job: "j", ForMinutes: 1}).Result(); err != nil || !got.Done {
			t.Errorf("got %+v, %v", got, err)
		}
	}, watchjob.Orchestrator, checkjob.Activity)
}

// The process ends at each of its storage calls in turn; the watch goes on.
func TestWatchOutlivesCrashes(t *testing.T) {
	durabletest.EveryCrash(t, func(t *testing.T, env *durabletest.Env) {
		doneAfter(env, 6*time.Minute)
		if got, err := durabletest.Start(env, watchjob.Orchestrator, watchjob.Watch{Job: "j", EverySeconds: 60, ForMinutes: 600}).Result(); err != nil || !got.Done {
			t.Errorf("got %+v, %v", got, err)
		}
	}, watchjob.Orchestrator, checkjob.Activity)
}
