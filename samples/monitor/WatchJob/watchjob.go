// Package watchjob is the orchestrator WatchJob, which looks at a job from time to time
// until it is done.
package watchjob

import (
	"time"

	"github.com/durable-go/functions/durable"
	checkjob "github.com/durable-go/functions/samples/monitor/CheckJob"
)

// Watch says what to look at, and for how long.
type Watch struct {
	Job string `json:"job"`
	// EverySeconds is the wait before the second look; it doubles from look to look, up to
	// an hour.
	EverySeconds int `json:"everySeconds"`
	// ForMinutes is when to give up.
	ForMinutes int `json:"forMinutes"`
}

// Seen is how a watch ended.
type Seen struct {
	Done  bool `json:"done"`
	Looks int  `json:"looks"`
}

var retry = durable.WithRetry(durable.RetryPolicy{MaxAttempts: 5, FirstInterval: time.Second, Backoff: 2})

// Orchestrator watches a job. Between two looks nothing runs and nothing is in memory.
var Orchestrator = durable.NewOrchestrator("WatchJob", func(ctx *durable.Context, w Watch) (Seen, error) {
	wait := time.Duration(max(w.EverySeconds, 1)) * time.Second
	end := ctx.Now().Add(time.Duration(w.ForMinutes) * time.Minute)
	for looks := 1; ; looks++ {
		done, err := checkjob.Activity.Call(ctx, w.Job, retry).Await()
		if err != nil {
			return Seen{}, err
		}
		next := ctx.Now().Add(wait)
		if done || next.After(end) {
			return Seen{Done: done, Looks: looks}, nil
		}
		ctx.SetCustomStatus(map[string]any{"looks": looks, "next": next})
		if err := ctx.Sleep(wait); err != nil {
			return Seen{}, err
		}
		wait = min(2*wait, time.Hour)
	}
})
