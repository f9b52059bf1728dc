//go:build linux && long

package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/e2e/host"
)

// TestScaleOut adds hosts to a hub and takes one away, while orchestrations fan out
// whose activities wait: what one process has no slots for goes to the others, and
// what a host held that went away is done by the rest. It logs how long a fan-out took
// with one, two and three hosts, and how many activities each process ran.
// SCALEOUT_ACTIVITIES is the size of the fan-outs.
func TestScaleOut(t *testing.T) {
	host.NeedFunc(t)
	const milliseconds, slots = 200, 10
	n, err := strconv.Atoi(cmp.Or(os.Getenv("SCALEOUT_ACTIVITIES"), "600"))
	if err != nil {
		t.Fatal(err)
	}
	o := host.Options{
		Main: "./internal/e2e/testapp", Folders: []string{"internal/e2e/testapp"},
		Storage: azuritetest.Server(t).ConnectionString(), Hub: azuritetest.HubName(),
		Settings: map[string]any{
			"maxConcurrentActivityFunctions": slots,
			"storageProvider":                map[string]any{"partitionCount": 1, "controlQueueVisibilityTimeout": "00:00:05"},
		},
	}
	input := fmt.Sprintf(`{"Activities":%d,"Milliseconds":%d}`, n, milliseconds)
	var hosts []*host.Host
	for len(hosts) < 3 {
		hosts = append(hosts, host.Run(t, o))
		began := time.Now()
		id := starts(t, hosts[0], "Spreading", "", input)
		counts := spreadOver(t, hosts[0], id, n)
		t.Logf("%d hosts: %d activities of %d ms in %v, %d slots each: at least %v; by process %v", len(hosts), n, milliseconds,
			time.Since(began).Round(100*time.Millisecond), slots, time.Duration(n*milliseconds/slots/len(hosts))*time.Millisecond, slices.Sorted(maps.Values(counts)))
		t.Logf("activities that ended in each second: %v", perSecond(t, hosts[0], id))
		if len(hosts) > 1 && len(counts) < 2 {
			t.Errorf("all activities of a fan-out ran in one of %d processes", len(hosts))
		}
	}
	var ids []string
	for range 3 {
		ids = append(ids, starts(t, hosts[0], "Spreading", "", input))
	}
	if err := hosts[2].Kill(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for _, id := range ids {
		spreadOver(t, hosts[1], id, n)
	}
	t.Logf("after the kill of one of three hosts, with 3 such fan-outs begun: all done in %v", time.Since(began).Round(100*time.Millisecond))
}

// perSecond is how many results of activities a history has of each second.
func perSecond(t *testing.T, h *host.Host, id string) []int {
	t.Helper()
	reply, err := h.Do(bounded(t), http.MethodGet, "/api/durabletask/instances/"+id+"?showHistory=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	status := decode[struct {
		CreatedTime   time.Time
		HistoryEvents []struct {
			EventType string
			Timestamp time.Time
		}
	}](t, reply.Body)
	var counts []int
	for _, e := range status.HistoryEvents {
		if e.EventType != "TaskCompleted" {
			continue
		}
		at := int(e.Timestamp.Sub(status.CreatedTime) / time.Second)
		for len(counts) <= at {
			counts = append(counts, 0)
		}
		counts[at]++
	}
	return counts
}

// spreadOver waits for a fan-out and returns how many activities each process ran.
func spreadOver(t *testing.T, h *host.Host, id string, n int) map[string]int {
	t.Helper()
	status, err := h.Wait(bounded(t), id)
	if err != nil {
		t.Fatal(err)
	}
	counts, all := map[string]int{}, 0
	if err := json.Unmarshal(status.Output, &counts); err != nil {
		t.Fatalf("instance %s: %s %s", id, status.RuntimeStatus, status.Output)
	}
	for _, c := range counts {
		all += c
	}
	if all != n {
		t.Errorf("instance %s has the results of %d activities, want %d", id, all, n)
	}
	return counts
}
