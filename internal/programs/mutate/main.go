// Command mutate plants faults in the engine, one after the other, and prints
// how many random programs it takes to find each:
//
//	go run ./internal/programs/mutate [-seeds 1000] [-only TEXT]
//
// It ends with status 1 when a fault is not found.
package main

import (
	"fmt"

	"github.com/durable-go/functions/internal/mutation"
)

func main() {
	mutation.Main(1000, func(seeds int) (out []mutation.Planted) {
		for _, m := range mutations {
			out = append(out, mutation.Planted{Mutation: m.Mutation, Finder: finder(m.kind, seeds)})
		}
		return out
	})
}

func finder(kind string, seeds int) mutation.Finder {
	return mutation.Finder{
		Package: "internal/programs", Name: kind, Played: "play " + kind + " ",
		Args: []string{
			"-test.run", "^TestPrograms$", "-programs.trace", "-programs.shrink", "0",
			"-programs.kinds", kind, "-programs.seeds", fmt.Sprint(seeds),
		},
	}
}
