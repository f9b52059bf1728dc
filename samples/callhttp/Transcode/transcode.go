// Package transcode is the orchestrator Transcode, which asks a service over HTTP and
// waits for what it makes.
package transcode

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/durable-go/functions/durable"
	publish "github.com/durable-go/functions/samples/callhttp/Publish"
)

// Job is a video, and the URL of the service that transcodes it.
type Job struct {
	Service string `json:"service"`
	Video   string `json:"video"`
}

// Result is what the service has made.
type Result struct {
	File string `json:"file"`
}

// Orchestrator posts the job. The service answers 202 with a Location, which CallHTTP
// asks until the answer is another one: hours later perhaps, and in another process.
var Orchestrator = durable.NewOrchestrator("Transcode", func(ctx *durable.Context, job Job) (Result, error) {
	response, err := durable.CallHTTP(ctx, durable.HTTPRequest{
		Method:      http.MethodPost,
		URL:         job.Service,
		Body:        map[string]string{"video": job.Video},
		Retry:       &durable.RetryPolicy{MaxAttempts: 10, FirstInterval: time.Second, Backoff: 2, MaxInterval: time.Minute},
		RetryStatus: []int{http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable},
	}).Await()
	if err != nil {
		return Result{}, err
	}
	if response.StatusCode != http.StatusOK {
		return Result{}, fmt.Errorf("the service answers %d: %s", response.StatusCode, response.Content)
	}
	var result Result
	if err := json.Unmarshal([]byte(response.Content), &result); err != nil {
		return Result{}, fmt.Errorf("the answer of the service: %w", err)
	}
	return result, publish.Activity.Do(ctx, result.File)
})
