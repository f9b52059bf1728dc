package durable_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// inEnv runs an example in an environment that begins in 2026.
func inEnv(example func(env *durabletest.Env), functions ...durable.Registration) {
	o := durabletest.Options{Start: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Unregistered: true}
	o.Example(example, functions...)
}

// run runs an orchestrator to its end, prints how it ended, and looks at what it
// left.
func run[In, Out any](o *durable.Orchestrator[In, Out], in In, functions ...durable.Registration) (left struct {
	Elapsed      time.Duration
	CustomStatus string
}) {
	inEnv(func(env *durabletest.Env) {
		i := begin(env, o, in)
		show(i)
		left.Elapsed, left.CustomStatus = env.Elapsed(), i.CustomStatus()
	}, append(functions, o)...)
	return left
}

func begin[In, Out any](env *durabletest.Env, o *durable.Orchestrator[In, Out], in In) *durabletest.Instance[Out] {
	i := durabletest.Start(env, o, in, durable.WithInstanceID("i1"))
	env.Wait()
	return i
}

// show prints how an orchestration ended.
func show[Out any](i *durabletest.Instance[Out]) {
	out, err := i.Result()
	if failed := new(durable.OrchestrationError); errors.As(err, &failed) {
		fmt.Printf("%s: %s\n", failed.Status, failed.Message)
		return
	}
	fmt.Println(out)
}
