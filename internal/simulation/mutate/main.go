// Command mutate plants faults in the worker and the hub, one after the other, and
// prints how many runs of the simulation it takes to find each:
//
//	go run ./internal/simulation/mutate [-seeds 5000] [-only TEXT]
//
// It ends with status 1 when a fault is not found.
package main

import (
	"fmt"

	"github.com/durable-go/functions/internal/mutation"
)

func main() {
	mutation.Main(5000, func(seeds int) (out []mutation.Planted) {
		finder := mutation.Finder{
			Package: "internal/simulation", Name: "simulation", Played: "play ",
			Args: []string{"-test.run", "^TestSimulation$", "-simulation.trace", "-simulation.strict", "-simulation.most", "1", "-simulation.shrink", "0", "-simulation.seeds", fmt.Sprint(seeds)},
		}
		for _, m := range mutations {
			out = append(out, mutation.Planted{Mutation: m, Finder: finder})
		}
		return out
	})
}
