// Package approveexpense is the orchestrator ApproveExpense, which asks people for a
// decision and does not wait for them for good.
package approveexpense

import (
	"errors"
	"fmt"
	"time"

	"github.com/durable-go/functions/durable"
	sendmail "github.com/durable-go/functions/samples/approval/SendMail"
)

// Expense is what somebody wants to be paid back.
type Expense struct {
	What     string `json:"what"`
	Cents    int    `json:"cents"`
	Approver string `json:"approver"`
	// Deputy is asked when the approver does not answer.
	Deputy string `json:"deputy"`
	// Link is a signed URL: a POST to it decides this expense and can do nothing else.
	Link string `json:"link"`
}

// Decision is what an approver says.
type Decision struct {
	Approved bool   `json:"approved"`
	By       string `json:"by"`
}

// Decided is the event that brings the decision.
var Decided = durable.NewEvent[Decision]("Decided")

const (
	// petty is what needs no approval, in cents.
	petty = 1000
	// patience is how long each of the approvers has.
	patience = 3 * 24 * time.Hour
)

// Orchestrator asks the approver, then the deputy, and refuses when neither answers.
var Orchestrator = durable.NewOrchestrator("ApproveExpense", func(ctx *durable.Context, e Expense) (Decision, error) {
	if e.Cents <= petty {
		return Decision{Approved: true, By: "the rules"}, nil
	}
	for _, approver := range []string{e.Approver, e.Deputy} {
		mail := sendmail.Mail{To: approver, Subject: fmt.Sprintf("Please decide: %s, %d cents", e.What, e.Cents), Link: e.Link}
		if err := sendmail.Activity.Do(ctx, mail); err != nil {
			return Decision{}, err
		}
		ctx.SetCustomStatus("waiting for " + approver)
		decision, err := Decided.Wait(ctx, durable.WithTimeout(patience)).Await()
		if !errors.Is(err, durable.ErrTimeout) {
			return decision, err
		}
	}
	return Decision{By: "nobody in time"}, nil
})
