//go:build unix

package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func copyApp(t *testing.T, from, to *app) {
	t.Helper()
	check(t, os.CopyFS(to.dir, os.DirFS(from.dir)))
	check(t, os.Chmod(filepath.Join(to.dir, "bin", "handler"), 0o755))
}

// count is how often a name is in a list.
func count(list []string, name string) int {
	n := 0
	for _, entry := range list {
		if entry == name {
			n++
		}
	}
	return n
}

// blocked starts Marked and waits until its second activity runs.
func (a *app) blocked() links {
	a.t.Helper()
	check(a.t, os.WriteFile(filepath.Join(a.files, "block-Seattle"), nil, 0o644))
	l := a.begin("Marked", "", "")
	a.eventually("Seattle", func() bool { return count(a.marks(l.ID), "Seattle") > 0 })
	return l
}

func (a *app) unblock() { check(a.t, os.Remove(filepath.Join(a.files, "block-Seattle"))) }

// wantOneTokyo waits for the result: what was committed before the crash did
// not run again.
func (a *app) wantOneTokyo(l links) {
	a.t.Helper()
	a.wantGreetings(l)
	if n := count(a.marks(l.ID), "Tokyo"); n != 1 {
		a.t.Errorf("Tokyo ran %d times: %v", n, a.marks(l.ID))
	}
}

// TestKill ends processes while an activity runs.
func TestKill(t *testing.T) {
	a := start(t, "./internal/e2e/testapp", testFunctions)
	kill := func(pids ...int) {
		for _, pid := range pids {
			if pid == 0 {
				t.Fatal("the process to kill is not there")
			}
			check(t, syscall.Kill(pid, syscall.SIGKILL))
		}
	}
	cases := []struct {
		name string
		kill func()
	}{
		{"the child", func() { kill(a.host.Child()) }},
		{"the supervisor", func() { kill(a.host.Supervisor()) }},
		{"both", func() { kill(a.host.Supervisor(), a.host.Child()) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a.eventually("a child", func() bool { return a.host.Child() != 0 })
			l := a.blocked()
			c.kill()
			a.unblock()
			a.wantOneTokyo(l)
		})
	}
	// The host was told of two exits, of the supervisors, and of no child's.
	if n := strings.Count(a.host.Log(), "exited with code"); n > 2 {
		t.Errorf("the host noticed %d exits", n)
	}
}

// TestKillEverything ends the host and the handler together and starts them
// again.
func TestKillEverything(t *testing.T) {
	a := start(t, "./internal/e2e/testapp", testFunctions)
	l := a.blocked()
	old := a.host.Port
	a.host.Kill()
	a.unblock()
	a.run()
	l.Status = strings.Replace(l.Status, port(old), port(a.host.Port), 1)
	a.wantOneTokyo(l)
}

// TestStarterDies has an HTTP function that ends its process after its start,
// each time: the host repeats the GET, and there is one instance.
func TestStarterDies(t *testing.T) {
	a := start(t, "./internal/e2e/testapp", testFunctions)
	if r := a.must(http.MethodGet, "/api/start-and-die", ""); r.status != http.StatusInternalServerError {
		t.Errorf("answered %d %s", r.status, r.body)
	}
	raw, err := os.ReadFile(filepath.Join(a.files, "starts"))
	check(t, err)
	ids := map[string]bool{}
	for line := range strings.Lines(string(raw)) {
		ids[strings.TrimSpace(line)] = true
	}
	if len(ids) != 1 {
		t.Errorf("%d instances: %s", len(ids), raw)
	}
	for id := range ids {
		a.eventually("the instance", func() bool {
			r := a.must(http.MethodGet, "/api/durabletask/instances/"+id, "")
			return r.status == http.StatusOK && strings.Contains(r.body, "Hello London!")
		})
	}
}

// TestPoisonousActivity has one activity that ends the process whenever it
// runs, among twenty instances that do not.
func TestPoisonousActivity(t *testing.T) {
	a := start(t, "./internal/e2e/testapp", testFunctions)
	check(t, os.WriteFile(filepath.Join(a.files, "block-Seattle"), nil, 0o644))
	var others []links
	for range 20 {
		others = append(others, a.begin("Marked", "", ""))
	}
	bad := a.begin("Exits", "", "")
	var group sync.WaitGroup
	stop := make(chan struct{})
	group.Go(func() { a.knock(stop) })
	s := a.finish(bad)
	close(stop)
	group.Wait()
	if s.RuntimeStatus != "Failed" || !strings.Contains(string(s.Output), "exit code 1") {
		t.Errorf("%s %s", s.RuntimeStatus, s.Output)
	}
	a.unblock()
	for _, l := range others {
		a.wantOneTokyo(l)
	}
	if strings.Contains(a.host.Log(), "exited with code") {
		t.Error("the host noticed")
	}
}

// knock sends GETs until it is stopped: each is answered well, though the
// process behind dies meanwhile.
func (a *app) knock(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		r, err := a.do(http.MethodGet, "/api/orchestrators/Orchestrator", "")
		if err != nil || r.status != http.StatusAccepted {
			a.t.Errorf("GET while the handler dies: %d %s %v", r.status, r.body, err)
		}
	}
}

// TestMisbehaviour covers what does not end the process.
func TestMisbehaviour(t *testing.T) {
	a := start(t, "./internal/e2e/testapp", testFunctions)
	t.Run("panic", func(t *testing.T) {
		if s := a.finish(a.begin("Panicking", "", "")); s.RuntimeStatus != "Failed" || !strings.Contains(string(s.Output), "Activity function 'Panic' failed: panic: oh no") {
			t.Errorf("%s %s", s.RuntimeStatus, s.Output)
		}
	})
	t.Run("result too large", func(t *testing.T) {
		if s := a.finish(a.begin("TooBig", "", "50000")); s.RuntimeStatus != "Failed" || !strings.Contains(string(s.Output), "the result is too large") {
			t.Errorf("%s %s", s.RuntimeStatus, s.Output)
		}
	})
	t.Run("unfinished id", func(t *testing.T) {
		check(t, os.WriteFile(filepath.Join(a.files, "block-Seattle"), nil, 0o644))
		l := a.begin("Marked", "?id=unfinished", "")
		if r := a.must(http.MethodPost, "/api/orchestrators/Marked?id=unfinished", ""); r.status != http.StatusConflict {
			t.Errorf("%d %s", r.status, r.body)
		}
		a.unblock()
		a.wantOneTokyo(l)
	})
	t.Run("fan-out", func(t *testing.T) {
		for _, n := range []string{"1", "100", "1000"} {
			if s := a.finish(a.begin("FanOut", "", n)); string(s.Output) != n {
				t.Errorf("fan-out of %s: %s %s", n, s.RuntimeStatus, s.Output)
			}
		}
	})
	t.Run("timer trigger", func(*testing.T) {
		a.eventually("the start by the timer", func() bool {
			r := a.must(http.MethodGet, "/api/durabletask/instances/from-timer", "")
			return r.status == http.StatusOK && strings.Contains(r.body, "Hello London!")
		})
	})
	t.Run("queue trigger", func(t *testing.T) { queueTrigger(t, a) })
}
