// Package ignored has comments that suppress findings.
package ignored

import (
	"math/rand"
	"time"

	"github.com/durable-go/functions/durable"
)

func flow(ctx *durable.Context) {
	_ = time.Now() //durable:ignore DUR001 -- a test of the comment
	//durable:ignore DUR001, DUR002 -- a test of two
	_ = time.Now().Add(time.Duration(rand.Int()))
	//durable:ignore DUR001 -- nothing is here // want `DUR000 ignore: nothing here breaks DUR001`
	_ = ctx.Now()
	//durable:ignore DUR001 // want `this comment gives no reason`
	_ = time.Now() // want `time.Now in an orchestrator`
	_ = time.Now() //durable:ignore DUR999 -- what // want `this comment names no rule` `time.Now in an orchestrator`
	//durable:ignored DUR001 -- another word
	_ = time.Now() // want `time.Now in an orchestrator`
}
