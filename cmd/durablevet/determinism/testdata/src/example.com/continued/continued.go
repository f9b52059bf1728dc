// Package continued begins again.
package continued

import (
	"errors"
	"time"

	"github.com/durable-go/functions/durable"
)

var bad = durable.NewOrchestrator("Bad", func(ctx *durable.Context, n int) (string, error) {
	if n == 1 {
		ctx.ContinueAsNew(n) // want `DUR014 continue: ContinueAsNew does nothing by itself: return what it returns`
		return "", nil
	}
	if n == 2 {
		_ = ctx.ContinueAsNew(n) // want `ContinueAsNew does nothing by itself`
	}
	if n == 3 {
		err := ctx.ContinueAsNew(n) // want `ContinueAsNew does nothing by itself`
		if err != nil {
			return "", nil
		}
	}
	if n == 4 {
		err := ctx.ContinueAsNew(n)
		_ = ctx.Sleep(time.Hour) // want `a call after ContinueAsNew`
		return "", err
	}
	_, _ = durable.Go(ctx, func(ctx *durable.Context) (string, error) {
		return "", ctx.ContinueAsNew(n) // want `ContinueAsNew in a branch`
	}).Await()
	ctx.ContinueAsNew(n) // want `ContinueAsNew does nothing by itself`
	return "", nil
})

var self = durable.DeclareOrchestrator[int, string]("Self")

func good(ctx *durable.Context, n int) (out string, err error) {
	switch n {
	case 1:
		return "", ctx.ContinueAsNew(n)
	case 2:
		return self.ContinueAsNew(ctx, n)
	case 3:
		err := ctx.ContinueAsNew(n)
		if !durable.IsContinueAsNew(err) {
			return "", errors.Join(err, errors.New("too large"))
		}
		return "", err
	case 4:
		err = ctx.ContinueAsNew(n)
		return
	}
	return "", nil
}

func method(ctx *durable.Context, n int) error {
	self.ContinueAsNew(ctx, n) // want `ContinueAsNew does nothing by itself`
	return nil
}
