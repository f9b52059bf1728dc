// Package report is the orchestrator Report, which has a child for each region.
package report

import (
	"fmt"
	"time"

	"github.com/durable-go/functions/durable"
	region "github.com/durable-go/functions/samples/children/Region"
)

// Sales is a line of the report.
type Sales struct {
	Region string `json:"region"`
	Sold   int    `json:"sold"`
	Error  string `json:"error,omitempty"`
}

// Orchestrator starts a child for each region, all at once, and reports what each of
// them says. A child has a history, an id and a status of its own: one that fails can be
// rewound alone, and the parent's history stays short.
var Orchestrator = durable.NewOrchestrator("Report", func(ctx *durable.Context, regions []region.Region) ([]Sales, error) {
	tasks := make([]*durable.Task[int], len(regions))
	for i, r := range regions {
		tasks[i] = region.Orchestrator.Call(ctx, r,
			durable.WithInstanceID(fmt.Sprintf("%s-%s", ctx.InstanceID(), r.Name)),
			durable.WithTotalTimeout(time.Hour)) // a child that takes longer is terminated
	}
	report := []Sales{}
	for i, r := range durable.AllSettled(tasks...) {
		line := Sales{Region: regions[i].Name, Sold: r.Value}
		if r.Err != nil {
			line.Error = r.Err.Error()
		}
		report = append(report, line)
	}
	return report, nil
})
