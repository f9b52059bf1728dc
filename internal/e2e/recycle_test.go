//go:build linux

package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/e2e/host"
)

// An orchestrator in an endless loop is parked, and when it was terminated the process
// that it burns a processor of is replaced. The host does not notice, and what runs
// beside it goes on.
func TestEndlessLoopIsEnded(t *testing.T) {
	h, _ := runTestAppWithLease(t, "00:00:30")
	pid := h.FuncPID()
	supervisor, child := pair(t, h)
	spinning := starts(t, h, "Spinning", "", "null")
	var status host.Status
	eventually(t, "the orchestrator is parked", func() bool {
		reply, err := h.Do(bounded(t), http.MethodGet, "/api/durabletask/instances/"+spinning, nil)
		if err != nil {
			t.Fatal(err)
		}
		status = decode[host.Status](t, reply.Body)
		return status.RuntimeStatus == "Suspended"
	})
	if !strings.Contains(string(status.Output), "orchestrator 'Spinning' does not come back") {
		t.Errorf("it is parked with %s", status.Output)
	}
	beside := starts(t, h, "Working", "", "10000")
	if reply, err := h.Do(bounded(t), http.MethodPost, "/api/durabletask/instances/"+spinning+"/terminate?reason=enough", nil); err != nil || reply.Code != http.StatusAccepted {
		t.Fatalf("%+v %v", reply, err)
	}
	if status, err := h.Wait(bounded(t), spinning); err != nil || status.RuntimeStatus != "Terminated" {
		t.Errorf("%+v %v", status, err)
	}
	eventually(t, "the process is replaced", func() bool { return !running(h, child) })
	completes(t, h, beside, "100000")
	if now, next := pair(t, h); !h.Alive() || h.FuncPID() != pid || now != supervisor || next == child {
		t.Error("the host has noticed")
	}
}
