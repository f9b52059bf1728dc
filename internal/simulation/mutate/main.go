// Command mutate plants faults in the worker and the hub, one after the other, and
// prints how many runs of the simulation it takes to find each:
//
//	go run ./internal/simulation/mutate [-seeds 5000] [-only TEXT]
//
// It ends with status 1 when a fault is not found.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/durable-go/functions/internal/mutation"
)

func main() {
	seeds := flag.Int("seeds", 5000, "how many seeds are played before a fault counts as not found")
	only := flag.String("only", "", "plant only the faults whose names have this text")
	flag.Parse()
	finder := mutation.Finder{
		Package: "internal/simulation", Name: "simulation", Played: "play ",
		Args: []string{"-test.run", "^TestSimulation$", "-simulation.trace", "-simulation.most", "1", "-simulation.shrink", "0", "-simulation.seeds", fmt.Sprint(*seeds)},
	}
	missed := 0
	fmt.Print(mutation.Head)
	for _, m := range mutations {
		if !strings.Contains(m.Name, *only) {
			continue
		}
		found, err := mutation.Print(context.Background(), m, finder)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		if !found {
			missed++
		}
	}
	if missed > 0 {
		fmt.Fprintf(os.Stderr, "%d faults were not found\n", missed)
		os.Exit(1)
	}
}
