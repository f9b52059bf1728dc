package janitor_test

import (
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
	clean "github.com/durable-go/functions/samples/eternal/Clean"
	janitor "github.com/durable-go/functions/samples/eternal/Janitor"
)

var functions = []durable.Registration{janitor.Orchestrator.Implement(janitor.Run), clean.Activity}

var daily = janitor.Work{EverySeconds: 24 * 60 * 60}

// A year of days leaves the history of one.
func TestYear(t *testing.T) {
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		i := durabletest.Start(env, janitor.Orchestrator, daily)
		env.Advance(365*24*time.Hour - time.Minute)
		if n := len(i.History()); n > 10 {
			t.Errorf("the history has %d events", n)
		}
		i.RaiseEvent("Stop", durable.None{})
		if got, err := i.Result(); err != nil || got.Rounds != 365 || got.Removed != 3*365 {
			t.Errorf("got %+v, %v", got, err)
		}
	}, functions...)
}

// The process ends at each of its storage calls in turn; no round is counted twice.
func TestRoundsOutliveCrashes(t *testing.T) {
	durabletest.EveryCrash(t, func(t *testing.T, env *durabletest.Env) {
		i := durabletest.Start(env, janitor.Orchestrator, daily)
		env.Advance(2*24*time.Hour + time.Hour)
		i.RaiseEvent("Stop", durable.None{})
		if got, err := i.Result(); err != nil || got.Rounds != 3 || got.Removed != 9 {
			t.Errorf("got %+v, %v", got, err)
		}
	}, functions...)
}
