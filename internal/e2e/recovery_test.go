//go:build linux

package e2e

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/e2e/host"
)

// lines reads what activities have traced.
func lines(t *testing.T, traces, name string) []string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(traces, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.Fields(string(raw))
}

// eventually polls until f holds: often at first, then so that a long wait leaves the
// machine to the host.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	pause := 10 * time.Millisecond
	for deadline := time.Now().Add(patience); !f(); time.Sleep(pause) {
		if time.Now().After(deadline) {
			t.Fatalf("it did not come to pass: %s", what)
		}
		pause = min(pause+pause/10, time.Second)
	}
}

// killWhileSeattleRuns starts the lab's orchestrator, calls kill while its
// second activity runs, and checks that the instance completes without running
// the first activity again.
func killWhileSeattleRuns(t *testing.T, h *host.Host, traces, id string, kill func() error) {
	t.Helper()
	hold := filepath.Join(traces, "hold-"+id+"-Seattle")
	if err := os.WriteFile(hold, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	starts(t, h, "Orchestrator", id, "null")
	eventually(t, "Hello(Seattle) runs", func() bool { return slices.Contains(lines(t, traces, id), "Seattle") })
	killed := time.Now()
	if err := kill(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(hold); err != nil {
		t.Fatal(err)
	}
	completes(t, h, id, labOutput)
	t.Logf("completed %v after the kill", time.Since(killed).Round(time.Millisecond))
	runs := map[string]int{}
	for _, city := range lines(t, traces, id) {
		runs[city]++
	}
	if runs["Tokyo"] != 1 || runs["Seattle"] < 2 || runs["London"] != 1 {
		t.Errorf("activities ran %v; want Tokyo and London once, Seattle again", runs)
	}
}

// A crash of the child alone does not cost its instances their leases, which are
// longer here than the test has time.
func TestChildDiesUnderALongLease(t *testing.T) {
	h, traces := runTestAppWithLease(t, "00:30:00")
	_, child := pair(t, h)
	killWhileSeattleRuns(t, h, traces, "long-lease", func() error { return syscall.Kill(child, syscall.SIGKILL) })
}

func TestKill(t *testing.T) {
	h, traces := runTestApp(t)
	pid := h.FuncPID()
	t.Run("child", func(t *testing.T) {
		supervisor, before := pair(t, h)
		killWhileSeattleRuns(t, h, traces, "kill-child", func() error { return syscall.Kill(before, syscall.SIGKILL) })
		if same, _ := pair(t, h); same != supervisor {
			t.Errorf("the host has noticed: supervisor %d is %d now", supervisor, same)
		}
	})
	t.Run("supervisor", func(t *testing.T) {
		supervisor, child := pair(t, h)
		killWhileSeattleRuns(t, h, traces, "kill-supervisor", func() error {
			err := syscall.Kill(supervisor, syscall.SIGKILL)
			eventually(t, "the orphan ends", func() bool { return !running(h, child) })
			return err
		})
	})
	t.Run("both", func(t *testing.T) {
		supervisor, child := pair(t, h)
		killWhileSeattleRuns(t, h, traces, "kill-both", func() error {
			return errors.Join(syscall.Kill(supervisor, syscall.SIGKILL), syscall.Kill(child, syscall.SIGKILL))
		})
	})
	if !h.Alive() || h.FuncPID() != pid {
		t.Error("func did not survive the kills")
	}
	t.Run("everything", func(t *testing.T) {
		killWhileSeattleRuns(t, h, traces, "kill-everything", func() error { return errors.Join(h.Kill(), h.Start()) })
	})
	t.Run("everything, many in flight", func(t *testing.T) { testKillMany(t, h) })
}

// testKillMany kills everything while instances are at all places of their way.
func testKillMany(t *testing.T, h *host.Host) {
	const instances = 40
	var ids []string
	for range instances {
		ids = append(ids, starts(t, h, "Working", "", "50"))
	}
	if err := errors.Join(h.Kill(), h.Start()); err != nil {
		t.Fatal(err)
	}
	restarted := time.Now()
	for _, id := range ids {
		completes(t, h, id, "500")
	}
	t.Logf("%d instances completed %v after the restart", instances, time.Since(restarted).Round(time.Millisecond))
}

// In queue dispatch the work of a dead process waits in the queue.
func TestKillInQueueDispatch(t *testing.T) {
	h, traces := runTestApp(t, "AzureFunctionsJobHost__extensions__durableTask__dispatch=queue")
	t.Run("child", func(t *testing.T) {
		_, child := pair(t, h)
		killWhileSeattleRuns(t, h, traces, "kill-child", func() error { return syscall.Kill(child, syscall.SIGKILL) })
	})
	t.Run("everything", func(t *testing.T) {
		killWhileSeattleRuns(t, h, traces, "kill-everything", func() error { return errors.Join(h.Kill(), h.Start()) })
	})
}

func pair(t *testing.T, h *host.Host) (supervisor, child int) {
	t.Helper()
	supervisor, child, err := h.Pair()
	if err != nil {
		t.Fatal(err)
	}
	return supervisor, child
}

func running(h *host.Host, pid int) bool {
	return slices.ContainsFunc(h.Processes(), func(p host.Process) bool { return p.PID == pid })
}

// An HTTP function that ends its process after the start: the host sends a GET
// again and again, and it is one instance all the same.
func TestStarterKillsItsProcess(t *testing.T) {
	h, traces := runTestApp(t)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		t.Run(method, func(t *testing.T) {
			before := len(lines(t, traces, "crashstart"))
			reply, err := h.Do(bounded(t), method, "/api/crashstart", nil)
			if err != nil {
				t.Fatal(err)
			}
			if reply.Code != http.StatusInternalServerError {
				t.Errorf("answered %d %s, want 500", reply.Code, reply.Body)
			}
			ids := lines(t, traces, "crashstart")[before:]
			if len(ids) == 0 || len(ids) > 3 || len(slices.Compact(slices.Clone(ids))) != 1 {
				t.Fatalf("the starts of one request gave %v, want one id, at most three times", ids)
			}
			completes(t, h, ids[0], labOutput)
		})
	}
	all := slices.DeleteFunc(instances(t, h), func(id string) bool { return id == "from-the-timer" })
	if len(all) != 2 {
		t.Errorf("there are the instances %v, want 2", all)
	}
}
