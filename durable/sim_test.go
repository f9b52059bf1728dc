package durable_test

import (
	"fmt"

	"github.com/durable-go/functions/durable"
)

// run runs an orchestrator to its end and prints how it ended.
func run[In, Out any](o *durable.Orchestrator[In, Out], in In, functions ...durable.Registration) *durable.Sim {
	sim := durable.NewSim(append(functions, o)...)
	return finish(sim, o, in)
}

func finish[In, Out any](sim *durable.Sim, o *durable.Orchestrator[In, Out], in In) *durable.Sim {
	sim.Start("i1", o.Name(), in)
	sim.Run()
	var out Out
	if err := sim.Result("i1", &out); err != nil {
		fmt.Println(err)
		return sim
	}
	fmt.Println(out)
	return sim
}
