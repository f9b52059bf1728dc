package device_test

import (
	"context"
	"testing"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
	alarm "github.com/durable-go/functions/samples/entity/Alarm"
	device "github.com/durable-go/functions/samples/entity/Device"
	notify "github.com/durable-go/functions/samples/entity/Notify"
)

var functions = []durable.Registration{device.Entity, alarm.Orchestrator, notify.Activity}

// send sends readings of a device.
func send(t *testing.T, env *durabletest.Env, id string, degrees ...float64) {
	t.Helper()
	for _, d := range degrees {
		if err := device.Add.Send(context.Background(), env.Client(), id, d); err != nil {
			t.Fatal(err)
		}
	}
}

// Each device has a summary of its own.
func TestSummaries(t *testing.T) {
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		send(t, env, "oven", 20, 40, 60)
		send(t, env, "fridge", 4)
		env.RunUntilIdle()
		got, err := device.Read.Do(context.Background(), env.Client(), "oven", durable.None{})
		if want := (device.Summary{Count: 3, Average: 40, Max: 60}); err != nil || got != want {
			t.Errorf("got %+v, %v", got, err)
		}
		if len(env.Calls("Notify")) != 0 {
			t.Error("an alarm")
		}
	}, functions...)
}

// There is one alarm until the device has cooled down.
func TestAlarms(t *testing.T) {
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		send(t, env, "oven", 90, 95, 20, 85)
		env.RunUntilIdle()
		if got := durabletest.Inputs(env, notify.Activity); len(got) != 2 {
			t.Errorf("alarms %q", got)
		}
	}, functions...)
}

// The process ends at each of its storage calls in turn; each reading counts once.
func TestReadingsOutliveCrashes(t *testing.T) {
	durabletest.EveryCrash(t, func(t *testing.T, env *durabletest.Env) {
		send(t, env, "oven", 20, 90, 40)
		env.RunUntilIdle()
		state, _ := durabletest.Entity(env, device.Entity, "oven")
		if state.Count != 3 || state.Sum != 150 || len(env.Calls("Notify")) == 0 {
			t.Errorf("%+v, %d alarms", state, len(env.Calls("Notify")))
		}
	}, functions...)
}
