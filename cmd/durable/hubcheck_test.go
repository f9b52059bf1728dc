package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// A script learns from the exit code whether anything is wrong, and from the JSON what;
// --repair mends it.
func TestHubCheck(t *testing.T) {
	t.Setenv("AzureWebJobsStorage", "")
	connection := azuritetest.Server(t).ConnectionString()
	name := azuritetest.HubName()
	hub, err := openHub(name, environment{own: []string{"AzureWebJobsStorage=" + connection}})
	if err != nil {
		t.Fatal(err)
	}
	dir := app(t, name, connection)
	check := func(code int, says string, args ...string) string {
		t.Helper()
		var out, problems bytes.Buffer
		args = append([]string{"hub", "check"}, args...)
		if got := run(t.Context(), append(args, dir), &out, &problems); got != code || !strings.Contains(out.String()+problems.String(), says) {
			t.Errorf("%v: exit code %d, want %d: %s%s", args, got, code, out.String(), problems.String())
		}
		return out.String()
	}
	check(findingsCode, "part-missing")
	check(0, "mended: create it", "--repair")
	check(0, "0 findings")
	long := time.Now().UTC().Add(-time.Hour)
	row := &taskhub.Instance{ID: "lost", ExecutionID: "e", Name: "O", Status: history.Running, Created: long, Updated: long}
	if err := hub.Insert(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	check(findingsCode, "history-missing", "--older", "1ms")
	var report struct {
		Hub      string
		Findings []struct{ Severity, Kind, Instance, Repair string }
	}
	if err := json.Unmarshal([]byte(check(findingsCode, "", "--older", "1ms", "-o", "json")), &report); err != nil {
		t.Fatal(err)
	}
	if f := report.Findings; len(f) != 1 || f[0].Severity != "damage" || f[0].Kind != "history-missing" || f[0].Instance != "lost" || f[0].Repair == "" || report.Hub != name {
		t.Errorf("%+v", report)
	}
	check(0, "1 findings, 0 of them not mended", "--older", "1ms", "--repair")
	check(0, "0 findings", "--older", "1ms")
	if have, err := hub.Instance(t.Context(), "lost"); err != nil || have.Status != history.Failed {
		t.Errorf("%+v, %v", have, err)
	}
	for _, wrong := range [][]string{{"-o", "xml"}, {"--older", "-1s"}} {
		check(2, "durable hub check:", wrong...)
	}
}
