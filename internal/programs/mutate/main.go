// Command mutate plants faults in the engine, one after the other, and prints
// how many random programs it takes to find each:
//
//	go run ./internal/programs/mutate [-seeds 1000] [-only TEXT]
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
	seeds := flag.Int("seeds", 1000, "how many seeds are played before a fault counts as not found")
	only := flag.String("only", "", "plant only the faults whose names have this text")
	flag.Parse()
	missed := 0
	fmt.Print(mutation.Head)
	for _, m := range mutations {
		if !strings.Contains(m.Name, *only) {
			continue
		}
		found, err := mutation.Print(context.Background(), m.Mutation, finder(m.kind, *seeds))
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

func finder(kind string, seeds int) mutation.Finder {
	return mutation.Finder{
		Package: "internal/programs", Name: kind, Played: "play " + kind + " ",
		Args: []string{
			"-test.run", "^TestPrograms$", "-programs.trace", "-programs.shrink", "0",
			"-programs.kinds", kind, "-programs.seeds", fmt.Sprint(seeds),
		},
	}
}
