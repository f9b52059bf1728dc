// Package janitor is the orchestrator Janitor, which has no end of its own.
package janitor

import (
	"errors"
	"time"

	"github.com/durable-go/functions/durable"
	clean "github.com/durable-go/functions/samples/eternal/Clean"
)

// Work is what goes from round to round.
type Work struct {
	EverySeconds int `json:"everySeconds"`
	Rounds       int `json:"rounds"`
	Removed      int `json:"removed"`
}

// Stop is the event that ends a janitor after the round that it is in.
var Stop = durable.NewEvent[durable.None]("Stop")

var retry = durable.WithRetry(durable.RetryPolicy{MaxAttempts: 10, FirstInterval: time.Second, Backoff: 2, MaxInterval: time.Minute})

// Orchestrator cleans once in each round. Each round begins with an empty history, so
// the thousandth is as quick as the first. What a janitor does in a round it does
// before the wait, so no event is lost between rounds.
var Orchestrator = durable.DeclareOrchestrator[Work, Work]("Janitor")

// Run is the code of Orchestrator: apart from its name, because it continues as itself.
func Run(ctx *durable.Context, w Work) (Work, error) {
	removed, err := clean.Activity.Call(ctx, w.Rounds+1, retry).Await()
	if err != nil {
		return w, err
	}
	w.Rounds++
	w.Removed += removed
	ctx.SetCustomStatus(w)
	_, err = Stop.Wait(ctx, durable.WithTimeout(time.Duration(max(w.EverySeconds, 1))*time.Second)).Await()
	if errors.Is(err, durable.ErrTimeout) {
		return Orchestrator.ContinueAsNew(ctx, w)
	}
	return w, err
}
