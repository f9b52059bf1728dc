// Package resizeall is the orchestrator ResizeAll, which makes thumbnails of many
// pictures, some at a time.
package resizeall

import (
	"time"

	"github.com/durable-go/functions/durable"
	resizepicture "github.com/durable-go/functions/samples/fan-out/ResizePicture"
)

// Progress is the custom status: how many pictures are done.
type Progress struct {
	Done  int `json:"done"`
	Total int `json:"total"`
}

// Failure is a picture of which there is no thumbnail.
type Failure struct {
	Picture string `json:"picture"`
	Reason  string `json:"reason"`
}

// Report is what became of the pictures, in their order.
type Report struct {
	Thumbnails []resizepicture.Thumbnail `json:"thumbnails"`
	Failures   []Failure                 `json:"failures"`
}

// atOnce is how many pictures of one orchestration are worked on at a time.
const atOnce = 10

var retry = durable.WithRetry(durable.RetryPolicy{MaxAttempts: 3, FirstInterval: time.Second, Backoff: 2})

// Orchestrator resizes pictures. One that fails does not stop the others.
var Orchestrator = durable.NewOrchestrator("ResizeAll", func(ctx *durable.Context, pictures []string) (Report, error) {
	progress := Progress{Total: len(pictures)}
	// A branch is code of several steps that runs for each item; all branches run in one
	// turn at a time, so they may share variables.
	resize := durable.Branch(func(ctx *durable.Context, picture string) (resizepicture.Thumbnail, error) {
		thumbnail, err := resizepicture.Activity.Call(ctx, picture, retry).Await()
		progress.Done++
		ctx.SetCustomStatus(progress)
		return thumbnail, err
	})
	report := Report{Thumbnails: []resizepicture.Thumbnail{}, Failures: []Failure{}}
	for i, r := range durable.MapSettled(ctx, pictures, resize, durable.WithMaxConcurrency(atOnce)) {
		if r.Err != nil {
			report.Failures = append(report.Failures, Failure{Picture: pictures[i], Reason: r.Err.Error()})
			continue
		}
		report.Thumbnails = append(report.Thumbnails, r.Value)
	}
	return report, nil
})
