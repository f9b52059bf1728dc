// Package flows has an orchestrator that breaks rules.
package flows

import (
	"fmt"
	"math/rand/v2"
	"time"

	"example.com/lib"

	"github.com/durable-go/functions/durable"
)

// Order calls another module, whose log and lock do not matter.
var Order = durable.NewOrchestrator("Order", func(ctx *durable.Context, n int) (string, error) {
	lib.Log("order")
	lib.Locked()
	return fmt.Sprint(lib.Stamp(), time.Now(), rand.IntN(n)), nil
})
