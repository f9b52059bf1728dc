// Package retries has policies and durations that make no sense.
package retries

import (
	"time"

	"github.com/durable-go/functions/durable"
)

var charge = durable.NewActivity[int, int]("Charge", nil)

func Bad(ctx *durable.Context) {
	_ = charge.Call(ctx, 1, durable.WithRetry(durable.RetryPolicy{}))                                         // want `DUR021 retry: the retry policy has no MaxAttempts`
	_ = charge.Call(ctx, 1, durable.WithRetry(durable.RetryPolicy{MaxAttempts: 3}))                           // want `the retry policy has no FirstInterval`
	_ = charge.Call(ctx, 1, durable.WithRetry(durable.RetryPolicy{MaxAttempts: 0, FirstInterval: 5}))         // want `MaxAttempts counts the first call` `5 nanoseconds: the unit is missing`
	_ = charge.Call(ctx, 1, durable.WithRetry(durable.RetryPolicy{MaxAttempts: 1 << 31, FirstInterval: 1e9})) // want `a policy without a limit`
	_ = charge.Call(ctx, 1, durable.WithRetry(durable.RetryPolicy{
		MaxAttempts: 3, FirstInterval: time.Second, Backoff: 0.5, Jitter: 2, // want `Backoff is at least 1` `Jitter is between 0 and 1`
		MaxInterval: time.Millisecond, Timeout: -1, // want `MaxInterval is at least FirstInterval` `a negative duration`
	}))
	_ = charge.Call(ctx, 1, durable.WithTimeout(30)) // want `30 nanoseconds: the unit is missing`
	_ = charge.Call(ctx, 1, durable.WithTimeout(0))  // want `WithTimeout of 0`
	_ = ctx.Sleep(10)                                // want `10 nanoseconds: the unit is missing`
	_ = ctx.Sleep(-time.Second)                      // want `a negative duration`
}

const day = 24 * time.Hour

func Good(ctx *durable.Context, n int) {
	policy := durable.RetryPolicy{FirstInterval: time.Second}
	policy.MaxAttempts = n
	_ = charge.Call(ctx, 1, durable.WithRetry(policy), durable.WithTimeout(day))
	_ = charge.Call(ctx, 1, durable.WithRetry(durable.RetryPolicy{MaxAttempts: 1 << 31, FirstInterval: 1e9, Timeout: day}))
	_ = charge.Call(ctx, 1, durable.WithRetry(durable.RetryPolicy{MaxAttempts: n, FirstInterval: time.Duration(n) * time.Second}))
	_ = ctx.Sleep(0)
	_ = ctx.Sleep(5_000_000_000)
}
