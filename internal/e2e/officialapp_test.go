//go:build linux

package e2e

import (
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/e2e/host"
)

// officialOn runs an app of the official extension whose own hub is that of the host.
func officialOn(t *testing.T, h *host.Host) app {
	t.Helper()
	a := background(t, official(t, "official", "run"), "/",
		"AzureWebJobsStorage="+h.Options.Storage, "AzureFunctionsJobHost__extensions__durableTask__hubName="+h.Options.Hub)
	a.ready(t)
	return a
}

// An app does not start on a hub on which an app of the official extension is alive, and
// says why.
func TestHubOfAnOfficialApp(t *testing.T) {
	t.Parallel()
	official(t, "official", "run")
	h := runLab(t, nil)
	completes(t, h, starts(t, h, "Orchestrator", "", "null"), labOutput)
	if err := h.Stop(); err != nil {
		t.Fatal(err)
	}
	officialOn(t, h)
	eventually(t, "the official app has taken the hub", func() bool {
		for _, row := range rows(t, h, "Partitions") {
			if owner, _ := row["CurrentOwner"].(string); owner != "" {
				return true
			}
		}
		return false
	})
	if err := h.Launch(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the app says whose hub it is", func() bool {
		return strings.Contains(h.Log(), "task hub belongs to another app") && strings.Contains(h.Log(), "of the official Durable Task engine is alive on it")
	})
}
