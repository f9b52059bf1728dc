package approveexpense_test

import (
	"testing"
	"time"

	"github.com/durable-go/functions/durabletest"
	approveexpense "github.com/durable-go/functions/samples/approval/ApproveExpense"
	sendmail "github.com/durable-go/functions/samples/approval/SendMail"
)

var trip = approveexpense.Expense{What: "train", Cents: 12_000, Approver: "ann", Deputy: "bob"}

const days = 24 * time.Hour

// Whom the decision comes from depends on when it comes.
func TestDecisions(t *testing.T) {
	for _, c := range []struct {
		name    string
		expense approveexpense.Expense
		after   time.Duration // 0: no decision comes
		want    approveexpense.Decision
		mails   int
	}{
		{"petty", approveexpense.Expense{Cents: 900}, 0, approveexpense.Decision{Approved: true, By: "the rules"}, 0},
		{"the approver answers", trip, 2 * days, approveexpense.Decision{Approved: true, By: "it"}, 1},
		{"the deputy answers", trip, 4 * days, approveexpense.Decision{Approved: true, By: "it"}, 2},
		{"neither answers", trip, 0, approveexpense.Decision{By: "nobody in time"}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
				i := durabletest.Start(env, approveexpense.Orchestrator, c.expense)
				if c.after > 0 {
					env.Advance(c.after)
					i.RaiseEvent("Decided", approveexpense.Decision{Approved: true, By: "it"})
				}
				got, err := i.Result()
				if err != nil || got != c.want || len(env.Calls("SendMail")) != c.mails {
					t.Errorf("got %+v, %v after %d mails", got, err, len(env.Calls("SendMail")))
				}
				if len(i.Timers()) != 0 {
					t.Errorf("timers are left: %v", i.Timers())
				}
			}, approveexpense.Orchestrator, sendmail.Activity)
		})
	}
}

// The process ends at each of its storage calls in turn; the decision counts.
func TestDecisionOutlivesCrashes(t *testing.T) {
	durabletest.EveryCrash(t, func(t *testing.T, env *durabletest.Env) {
		i := durabletest.Start(env, approveexpense.Orchestrator, trip)
		env.Advance(4 * days)
		i.RaiseEvent("Decided", approveexpense.Decision{Approved: true, By: "bob"})
		if got, err := i.Result(); err != nil || got.By != "bob" {
			t.Errorf("got %+v, %v", got, err)
		}
	}, approveexpense.Orchestrator, sendmail.Activity)
}
