package orchestrator_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
	hello "github.com/durable-go/functions/samples/hello/Hello"
	orchestrator "github.com/durable-go/functions/samples/hello/Orchestrator"
)

var want = []string{"Hello Tokyo!", "Hello Seattle!", "Hello London!"}

func TestGreetings(t *testing.T) {
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		got, err := durabletest.Start(env, orchestrator.Orchestrator, durable.None{}).Result()
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("got %q, %v", got, err)
		}
	}, orchestrator.Orchestrator, hello.Activity)
}

// Without a retry policy the orchestration fails with its activity.
func TestGreetingFails(t *testing.T) {
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		env.Fail(hello.Activity.Name(), durabletest.Always, errors.New("lost for words"))
		_, err := durabletest.Start(env, orchestrator.Orchestrator, durable.None{}).Result()
		if failed := new(durable.OrchestrationError); !errors.As(err, &failed) || len(env.Calls("Hello")) != 1 {
			t.Errorf("got %v after %d calls", err, len(env.Calls("Hello")))
		}
	}, orchestrator.Orchestrator, hello.Activity)
}

// The process ends at each of its storage calls in turn; the greetings are the
// same, within the lease of a message.
func TestGreetingsOutliveCrashes(t *testing.T) {
	durabletest.EveryCrash(t, func(t *testing.T, env *durabletest.Env) {
		got, err := durabletest.Start(env, orchestrator.Orchestrator, durable.None{}).Result()
		if err != nil || !slices.Equal(got, want) || env.Elapsed() > 5*time.Minute {
			t.Errorf("got %q, %v after %v", got, err, env.Elapsed())
		}
	}, orchestrator.Orchestrator, hello.Activity)
}
