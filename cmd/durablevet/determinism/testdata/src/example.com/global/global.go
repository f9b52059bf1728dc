// Package global shares variables.
package global

import (
	"errors"

	"example.com/helpers"
	"github.com/durable-go/functions/durable"
)

var (
	counter int
	rates   = map[string]int{"a": 1}
	limit   = 5
	set     int
	errNone = errors.New("none")
	state   struct{ n int }
)

func init() { set = 1 }

func SetLimit(n int) { limit = n }

func Bad(ctx *durable.Context) int {
	counter++            // want `DUR008 global: a write of the variable counter of the package: pass`
	rates["b"] = 2       // want `a write of the variable rates`
	delete(rates, "a")   // want `a write of the variable rates`
	state.n = 5          // want `a write of the variable state`
	_ = helpers.Memo("") // want `Memo calls a write of the variable cache of the package at helpers.go`
	return limit         // want `the variable limit, which functions of the package write`
}

func Good(ctx *durable.Context) (int, error) {
	local := 0
	local++
	_ = rates // want `the variable rates, which functions of the package write`
	return set + local, errNone
}

func shared() *durable.Orchestrator[int, int] {
	visits, seen := 0, []int{}
	return durable.NewOrchestrator("Shared", func(ctx *durable.Context, n int) (int, error) {
		seen = append(seen, n) // only written: a test looks at it
		visits++               // want `a write of visits, a variable of the code around the orchestrator, which it reads, too`
		if visits > 1 {
			return 1, nil
		}
		return n, nil
	})
}
