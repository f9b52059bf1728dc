package hubcheck_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	userrun "github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/hubcheck"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/worker"
)

func (r *rig) check(repair bool) *hubcheck.Report {
	r.Helper()
	report, err := hubcheck.Run(r.Context(), hubName, r.hub, hubcheck.Options{Repair: repair})
	r.must(err)
	return report
}

// A check finds each kind of damage, and says so once. After a repair only what needs a
// person is found, and every instance ends, or can be terminated, and can be purged.
func TestDamageIsFoundAndMended(t *testing.T) {
	kinds := map[string]bool{}
	for i, d := range damages {
		kinds[d.kind] = true
		t.Run(fmt.Sprint(d.kind, " ", i), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, id := newRig(t), fmt.Sprint("i", i)
				r.running("healthy")
				d.make(r, id)
				<-time.After(2 * time.Hour)
				if f := find(t, r.check(false), d.kind); f == nil {
					return
				} else if f.Repaired || (f.Repair == "") != d.kept {
					t.Errorf("%+v", f)
				}
				if f := find(t, r.check(true), d.kind); f != nil && f.Failed != "" {
					t.Errorf("%+v", f)
				}
				r.work()
				for _, f := range r.check(false).Findings {
					if f.Severity != hubcheck.Note && (f.Kind != d.kind || !d.kept) && f.Kind != "history-payload-missing" {
						t.Errorf("left after the repair: %+v", f)
					}
				}
				r.endAndPurge()
			})
		})
	}
	if len(kinds) < 30 {
		t.Errorf("%d kinds of damage, want 30", len(kinds))
	}
}

// Each kind of finding is in the documentation.
func TestKindsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range damages {
		if !strings.Contains(string(page), "`"+d.kind+"`") {
			t.Errorf("docs/reliability.md does not say what %s is", d.kind)
		}
	}
}

// find is the finding of the kind; all others must be consequences that the repair
// mends too.
func find(t *testing.T, r *hubcheck.Report, kind string) *hubcheck.Finding {
	t.Helper()
	i := slices.IndexFunc(r.Findings, func(f hubcheck.Finding) bool { return f.Kind == kind })
	if i < 0 {
		t.Errorf("%s is not among the findings: %+v", kind, r.Findings)
		return nil
	}
	for _, f := range r.Findings {
		if f.Instance == "healthy" {
			t.Errorf("an instance that is whole: %+v", f)
		}
	}
	return &r.Findings[i]
}

// work lets a process work on the hub for some minutes. The orchestrator waits for an
// event that does not come.
func (r *rig) work() {
	r.Helper()
	_, stop := r.worker()
	<-time.After(5 * time.Minute)
	stop()
}

func (r *rig) worker() (*worker.Worker, func()) {
	r.Helper()
	never := func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
		return rt.WaitEvent("never").Await()
	}
	w, err := worker.New(worker.Options{
		Store: r.hub, Programs: func(string, string) (engine.Program, error) { return never, nil },
		Activities: func(string) (userrun.Func, error) {
			return func(context.Context, *userrun.Call) (history.Payload, *history.FailureDetails) {
				return history.Payload(`1`), nil
			}, nil
		},
		Control: taskhub.ControlQueue(hubName), WorkItems: func(string) string { return taskhub.WorkItemQueue(hubName) }, Log: slog.New(slog.DiscardHandler),
	})
	r.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	w.Poll(ctx, taskhub.ControlQueue(hubName))
	w.PollActivities(ctx, taskhub.WorkItemQueue(hubName))
	return w, func() {
		cancel()
		w.Kill()
	}
}

// endAndPurge terminates what has not ended, and purges all.
func (r *rig) endAndPurge() {
	r.Helper()
	w, stop := r.worker()
	defer stop()
	c := client.New(r.hub, client.Options{Queue: taskhub.ControlQueue(hubName), Local: w})
	page, err := r.hub.List(r.Context(), taskhub.Query{Max: taskhub.MaxPage})
	r.must(err)
	for _, row := range page.Instances {
		if row.Err != nil {
			r.Errorf("%s: %v", row.ID, row.Err)
			continue
		}
		if !row.Status.Finished() {
			if err := c.Terminate(r.Context(), row.ID, "test", client.TerminateOptions{}); err != nil {
				r.Errorf("%s is %v and cannot be terminated: %v", row.ID, row.Status, err)
				continue
			}
			<-time.After(2 * time.Minute)
		}
		if _, err := c.Purge(r.Context(), row.ID, client.PurgeOptions{}); err != nil {
			r.Errorf("%s cannot be purged: %v", row.ID, err)
		}
	}
}

// A hub on which processes work is whole: nothing is found while they do.
func TestLiveHubIsWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		w, stop := r.worker()
		defer stop()
		c := client.New(r.hub, client.Options{Queue: taskhub.ControlQueue(hubName), Local: w, Lease: 30 * time.Second})
		for i := range 20 {
			_, err := c.Start(t.Context(), client.Start{Name: "O", InstanceID: fmt.Sprint("i", i)})
			r.must(err)
		}
		<-time.After(time.Second)
		for i := range 10 {
			r.must(c.Terminate(t.Context(), fmt.Sprint("i", i), "test", client.TerminateOptions{}))
		}
		<-time.After(20 * time.Minute)
		if found := r.check(false); len(found.Findings) > 0 || found.Instances != 20 {
			t.Errorf("%+v", found)
		}
	})
}

// A hub that is not there is one finding a part.
func TestMissingHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		for _, table := range []string{"History", "Instances"} {
			_, err := r.account.Tables.NewClient(hubName+table).Delete(t.Context(), nil)
			r.must(err)
		}
		if found := r.check(false); found.Unrepaired() != 2 {
			t.Errorf("%+v", found)
		}
	})
}
