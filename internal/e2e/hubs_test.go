//go:build linux

package e2e

import (
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/e2e/host"
)

// In queue dispatch every turn and every activity is an invocation of the host.
func TestQueueDispatch(t *testing.T) {
	h := runLab(t, map[string]any{"dispatch": "queue"})
	completes(t, h, starts(t, h, "Orchestrator", "", "null"), labOutput)
	testManyStarts(t, h)
	for _, function := range []string{"Orchestrator", "Hello"} {
		if !strings.Contains(h.Log(), "Executing 'Functions."+function+"'") {
			t.Errorf("%s was not invoked: nothing went through its queue", function)
		}
	}
}

// Two hosts share a hub: each takes starts, and answers for all.
func TestTwoHosts(t *testing.T) {
	host.NeedFunc(t)
	o := host.Options{Storage: azuritetest.Server(t).ConnectionString(), Hub: azuritetest.HubName()}
	first := host.Run(t, o)
	o.Settings = map[string]any{"dispatch": "queue"}
	second := host.Run(t, o)
	ctx := bounded(t)
	hosts := []*host.Host{first, second}
	startMany(t, func(n int) error { return startAndWait(ctx, hosts[n%2], hosts[n/2%2], n) })
}

// TestQueuesApart runs an orchestrator and an activity that have folders with
// queues of their own: the host runs them under their own names.
func TestQueuesApart(t *testing.T) {
	h, _ := runTestApp(t, "AzureFunctionsJobHost__extensions__durableTask__dispatch=queue")
	id := starts(t, h, "FanOut", "", "5")
	completes(t, h, id, "30")
	for _, function := range []string{"FanOut", "Square"} {
		if !strings.Contains(h.Log(), "Executing 'Functions."+function+"'") {
			t.Errorf("the host has not run %s", function)
		}
	}
}
