package report_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
	countsales "github.com/durable-go/functions/samples/children/CountSales"
	region "github.com/durable-go/functions/samples/children/Region"
	report "github.com/durable-go/functions/samples/children/Report"
)

var functions = []durable.Registration{report.Orchestrator, region.Orchestrator, countsales.Activity}

var regions = []region.Region{
	{Name: "north", Shops: []string{"Oslo", "Turku"}}, {Name: "sea"}, {Name: "south", Shops: []string{"Rome"}},
}

// A region that fails is a line of the report; the others are there.
func TestReport(t *testing.T) {
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		got, err := durabletest.Start(env, report.Orchestrator, regions, durable.WithInstanceID("r1")).Result()
		if err != nil || len(got) != 3 || got[0].Sold != 90 || got[2].Sold != 40 || !strings.Contains(got[1].Error, "without shops") {
			t.Errorf("got %+v, %v", got, err)
		}
		if child := durabletest.Find[int](env, "r1-sea").Status(); child.RuntimeStatus != durable.StatusFailed {
			t.Errorf("the child is %s", child.RuntimeStatus)
		}
	}, functions...)
}

// A region that hangs is given up after an hour.
func TestSlowRegion(t *testing.T) {
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		durabletest.Replace(env, countsales.Activity, func(ctx context.Context, _ string) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		got, err := durabletest.Start(env, report.Orchestrator, regions[:1]).Result()
		if err != nil || len(got) != 1 || got[0].Error == "" || env.Elapsed() > 2*time.Hour {
			t.Errorf("got %+v, %v after %v", got, err, env.Elapsed())
		}
	}, functions...)
}

// The process ends at each of its storage calls in turn; the report is the same.
func TestReportOutlivesCrashes(t *testing.T) {
	durabletest.EveryCrash(t, func(t *testing.T, env *durabletest.Env) {
		got, err := durabletest.Start(env, report.Orchestrator, regions).Result()
		if err != nil || len(got) != 3 || got[0].Sold != 90 || got[2].Sold != 40 || got[1].Error == "" {
			t.Errorf("got %+v, %v", got, err)
		}
	}, functions...)
}
