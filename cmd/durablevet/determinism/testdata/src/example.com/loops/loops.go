// Package loops has loops without an end.
package loops

import (
	"time"

	"github.com/durable-go/functions/durable"
)

var Bad = durable.NewOrchestrator("Bad", func(ctx *durable.Context, _ int) (int, error) {
	for { // want `DUR013 endless: this loop never ends, so the history only grows`
		_ = ctx.Sleep(time.Hour)
		for {
			break
		}
		switch {
		case true:
			break
		}
	}
})

func worse(ctx *durable.Context) {
	for n := 0; true; n++ { // want `this loop never ends, and waits for nothing`
		_ = func() int { return n }
	}
}

var Good = durable.NewOrchestrator("Good", func(ctx *durable.Context, n int) (int, error) {
outer:
	for {
		for {
			break outer
		}
	}
	for {
		if n > 3 {
			break
		}
		n++
	}
	for i := 0; i < 3; i++ {
		n++
	}
	for {
		if err := ctx.Sleep(time.Hour); err != nil {
			return 0, err
		}
		if n++; n > 100 {
			return 0, ctx.ContinueAsNew(n)
		}
	}
})
