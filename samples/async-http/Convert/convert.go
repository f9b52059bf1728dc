// Package convert is the orchestrator Convert, which converts a document.
package convert

import (
	"time"

	"github.com/durable-go/functions/durable"
	convertpage "github.com/durable-go/functions/samples/async-http/ConvertPage"
)

// Document is what is converted.
type Document struct {
	Pages []string `json:"pages"`
	// WaitSeconds makes the conversion as slow as a real one.
	WaitSeconds int `json:"waitSeconds"`
}

// Orchestrator converts all pages.
var Orchestrator = durable.NewOrchestrator("Convert", func(ctx *durable.Context, d Document) ([]string, error) {
	if d.WaitSeconds > 0 {
		if err := ctx.Sleep(time.Duration(d.WaitSeconds) * time.Second); err != nil {
			return nil, err
		}
	}
	return durable.Map(ctx, d.Pages, convertpage.Activity, durable.WithMaxConcurrency(20))
})
