package shiporder_test

import (
	"slices"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
	shiporder "github.com/durable-go/functions/samples/versions/ShipOrder"
	steps "github.com/durable-go/functions/samples/versions/Steps"
)

var functions = []durable.Registration{shiporder.Orchestrator, steps.Pack, steps.Insure, steps.Ship, steps.SendMail}

// What an order gets depends on the version that it was started with.
func TestVersions(t *testing.T) {
	for version, want := range map[string][]string{
		"1.0.0": {"packed", "shipped", "mailed"},
		"2.0.0": {"packed", "insured", "shipped", "mailed"},
	} {
		t.Run(version, func(t *testing.T) {
			durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
				got, err := durabletest.Start(env, shiporder.Orchestrator, "7", durable.WithVersion(version)).Result()
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("got %q, %v", got, err)
				}
			}, functions...)
		})
	}
}

// firstCode is what was deployed first, without versions and patches.
func firstCode(ctx *durable.Context, order string) ([]string, error) {
	if err := steps.Pack.Do(ctx, order); err != nil {
		return nil, err
	}
	if err := ctx.Sleep(time.Second); err != nil {
		return nil, err
	}
	return []string{"packed", "shipped"}, steps.Ship.Do(ctx, order)
}

// An order that the first code has brought to any point can be replayed by today's:
// the gate before a deployment.
func TestOrdersInFlight(t *testing.T) {
	first := durable.NewOrchestrator("ShipOrder", firstCode)
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		i := durabletest.Start(env, first, "7", durable.WithVersion("1.0.0"))
		env.Wait() // it waits for the carrier
		waiting := i.HistoryJSON()
		if _, err := i.Result(); err != nil {
			t.Fatal(err)
		}
		durabletest.Replay(t, waiting, functions...)
		durabletest.Replay(t, i.HistoryJSON(), functions...)
	}, first, steps.Pack, steps.Ship)
}

// A change without a guard is found by the same test: an order of version 2 has
// another history.
func TestUnguardedChange(t *testing.T) {
	first := durable.NewOrchestrator("ShipOrder", firstCode)
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		i := durabletest.Start(env, first, "7", durable.WithVersion("2.0.0"))
		env.Wait()
		if err := durabletest.Check(i.HistoryJSON(), functions...); err == nil {
			t.Error("code that does not fit was not found")
		}
	}, first, steps.Pack, steps.Ship)
}

// The process ends at each of its storage calls in turn; an order stays of its version.
func TestVersionsOutliveCrashes(t *testing.T) {
	durabletest.EveryCrash(t, func(t *testing.T, env *durabletest.Env) {
		got, err := durabletest.Start(env, shiporder.Orchestrator, "7", durable.WithVersion("1.0.0")).Result()
		if err != nil || !slices.Equal(got, []string{"packed", "shipped", "mailed"}) {
			t.Errorf("got %q, %v", got, err)
		}
	}, functions...)
}
