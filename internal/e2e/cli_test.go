//go:build linux

package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/durable-go/functions/internal/e2e/host"
)

// instances are the ids in the hub's table.
func instances(t *testing.T, h *host.Host) (ids []string) {
	t.Helper()
	service, err := aztables.NewServiceClientFromConnectionString(h.Options.Storage, nil)
	if err != nil {
		t.Fatal(err)
	}
	for pager := service.NewClient(h.Options.Hub + "Instances").NewListEntitiesPager(nil); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, entity := range page.Entities {
			ids = append(ids, decode[struct{ PartitionKey string }](t, entity).PartitionKey)
		}
	}
	return ids
}

// testFuncDurable reads the hub with the Core Tools' commands, which know the
// official tables only.
func testFuncDurable(t *testing.T, h *host.Host) {
	id := starts(t, h, "Orchestrator", "for-the-cli", `{"a":1}`)
	completes(t, h, id, labOutput)
	for _, c := range []struct {
		arguments []string
		says      []string
	}{
		{[]string{"get-instances", "--top", "1000"}, []string{id, "Orchestrator"}},
		{[]string{"get-runtime-status", "--id", id, "--show-input", "true", "--show-output", "true"}, []string{id, "Hello Seattle!", `\"a\":1`}},
		{[]string{"get-history", "--id", id}, []string{"ExecutionStarted", "TaskScheduled", "TaskCompleted", "Hello Tokyo!", "ExecutionCompleted"}},
	} {
		t.Run(c.arguments[0], func(t *testing.T) {
			cmd := exec.CommandContext(bounded(t), host.NeedFunc(t), append([]string{"durable"}, c.arguments...)...)
			cmd.Dir = h.Dir
			cmd.Env = append(os.Environ(), "AzureWebJobsStorage="+h.Options.Storage)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, text := range c.says {
				if !strings.Contains(string(out), text) {
					t.Errorf("does not say %s:\n%s", text, out)
				}
			}
		})
	}
}
