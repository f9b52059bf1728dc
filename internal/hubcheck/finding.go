package hubcheck

import (
	"context"

	"github.com/durable-go/functions/internal/taskhub/azure"
)

// Severity is how bad a finding is.
type Severity string

const (
	// Damage stops an instance, or hides something: a person should know.
	Damage Severity = "damage"
	// Waiting is an instance for which no process does what it waits for. The app's own
	// reconciler finds most of them when it runs.
	Waiting Severity = "waiting"
	// Debris costs storage and nothing else.
	Debris Severity = "debris"
	// Note is no fault.
	Note Severity = "note"
)

// Finding is one thing that is inconsistent.
type Finding struct {
	Severity Severity `json:"severity"`
	// Kind is a short name that scripts can rely on.
	Kind string `json:"kind"`
	// Instance is the id; empty where it is about none.
	Instance string `json:"instance,omitempty"`
	// Place is the row, queue or blob.
	Place string `json:"place,omitempty"`
	// What is wrong, and what a person can do where there is no repair.
	What string `json:"what"`
	// Repair is what mends it; empty where nothing does.
	Repair string `json:"repair,omitempty"`
	// Repaired reports that it was mended.
	Repaired bool `json:"repaired,omitempty"`
	// Failed is why it could not be mended.
	Failed string `json:"failed,omitempty"`

	repair repair
}

// repair mends a finding.
type repair interface {
	// describe says what apply does.
	describe() string
	apply(ctx context.Context, hub *azure.Hub) error
}

// with is the finding with its repair.
func (f Finding) with(r repair) Finding {
	f.repair, f.Repair = r, r.describe()
	return f
}

// Report is what a check has found.
type Report struct {
	Hub       string    `json:"hub"`
	Instances int       `json:"instances"`
	Findings  []Finding `json:"findings"`
	// More is how many findings were left out.
	More int `json:"more,omitempty"`
}

// First is the report with at most n findings.
func (r *Report) First(n int) *Report {
	out := *r
	if len(out.Findings) > n {
		out.Findings, out.More = out.Findings[:n], out.More+len(out.Findings)-n
	}
	return &out
}

// Unrepaired counts the findings that matter and are not mended.
func (r *Report) Unrepaired() (n int) {
	for _, f := range r.Findings {
		if f.Severity != Note && !f.Repaired {
			n++
		}
	}
	return n
}
