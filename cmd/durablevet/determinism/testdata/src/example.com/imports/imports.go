// Package imports lacks what fixes need, and has what they make useless.
package imports

import (
	"time"

	"github.com/durable-go/functions/durable"
)

var charge = durable.NewActivity[int, int]("Charge", nil)

func flow(ctx *durable.Context, m map[string]int) {
	_ = time.Now()        // want `time.Now in an orchestrator`
	for _, n := range m { // want `on which a call depends`
		_ = charge.Call(ctx, n)
	}
	for k, n := range m { // want `on which a call depends`
		_ = charge.Call(ctx, len(k)+n)
	}
	for k := range m { // want `on which a call depends`
		_ = charge.Call(ctx, len(k))
	}
	for k, n := range m { // want `on which a call depends`
		_ = charge.Call(ctx, n)
		delete(m, k)
	}
}
