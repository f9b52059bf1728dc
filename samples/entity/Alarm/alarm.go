// Package alarm is the orchestrator Alarm, which an entity starts.
package alarm

import (
	"fmt"
	"time"

	"github.com/durable-go/functions/durable"
	notify "github.com/durable-go/functions/samples/entity/Notify"
)

// Heat is a device that is too hot.
type Heat struct {
	Device  string  `json:"device"`
	Degrees float64 `json:"degrees"`
}

var retry = durable.WithRetry(durable.RetryPolicy{MaxAttempts: 10, FirstInterval: time.Second, Backoff: 2})

// Orchestrator tells somebody of the heat.
var Orchestrator = durable.NewOrchestrator("Alarm", func(ctx *durable.Context, h Heat) (durable.None, error) {
	return durable.None{}, notify.Activity.Do(ctx, fmt.Sprintf("device %s has %.0f degrees", h.Device, h.Degrees), retry)
})
