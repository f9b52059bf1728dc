//go:build unix

package e2e

import (
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// TestLab is what a newcomer does, and what goes wrong then.
func TestLab(t *testing.T) {
	a := start(t, ".", labFunctions)
	t.Run("GET", func(t *testing.T) {
		r := a.must(http.MethodGet, "/api/orchestrators/Orchestrator", "")
		if r.status != http.StatusAccepted || r.header.Get("Retry-After") != "10" || r.header.Get("Location") == "" {
			t.Errorf("%d %v", r.status, r.header)
		}
	})
	t.Run("POST", func(*testing.T) { a.wantGreetings(a.begin("Orchestrator", "", `{"ignored":true}`)) })
	t.Run("name without case", func(*testing.T) { a.wantGreetings(a.begin("orchestrator", "", "")) })
	t.Run("finished id again", func(*testing.T) {
		for range 3 {
			a.wantGreetings(a.begin("Orchestrator", "?id=again", ""))
		}
	})
	t.Run("200 starts, 16 at a time", func(*testing.T) { a.load(200, 16) })
	t.Run("bad input", func(t *testing.T) { badInput(t, a) })
	t.Run("command line tools", func(t *testing.T) { commandLine(t, a) })
}

func (a *app) load(n, at int) {
	var group sync.WaitGroup
	gate := make(chan struct{}, at)
	for range n {
		gate <- struct{}{}
		group.Go(func() {
			defer func() { <-gate }()
			r, err := a.do(http.MethodPost, "/api/orchestrators/Orchestrator", "")
			if err != nil || r.status != http.StatusAccepted {
				a.t.Errorf("start: %d %v", r.status, err)
				return
			}
			a.wantGreetings(links{Status: r.header.Get("Location")})
		})
	}
	group.Wait()
}

func badInput(t *testing.T, a *app) {
	done := a.begin("Orchestrator", "?id=done", "")
	a.wantGreetings(done)
	cases := []struct {
		name, method, path, body string
		status                   int
		says                     string
	}{
		{"unknown orchestrator", "POST", "/api/orchestrators/Nobody", "", 404, "'Orchestrator'"},
		{"unknown orchestrator, management", "POST", "/api/durabletask/orchestrators/Nobody", "", 400, "'Orchestrator'"},
		{"malformed JSON", "POST", "/api/orchestrators/Orchestrator", "{", 400, "Invalid JSON content"},
		{"two values", "POST", "/api/orchestrators/Orchestrator", "1 2", 400, "Invalid JSON content"},
		{"deep JSON", "POST", "/api/orchestrators/Orchestrator", strings.Repeat("[", 1000) + strings.Repeat("]", 1000), 400, "nested"},
		{"large body", "POST", "/api/orchestrators/Orchestrator", `"` + strings.Repeat("x", 50<<10) + `"`, 413, "40960"},
		{"id with @", "POST", "/api/orchestrators/Orchestrator?id=@x", "", 400, "instance id"},
		{"id with a slash", "POST", "/api/orchestrators/Orchestrator?id=a%2Fb", "", 400, "instance id"},
		{"long id", "POST", "/api/orchestrators/Orchestrator?id=" + strings.Repeat("x", 257), "", 400, "256"},
		{"unknown instance", "GET", "/api/durabletask/instances/nobody", "", 404, ""},
		{"no signature", "GET", "/api/durabletask-links/instances/done", "", 401, "signature"},
		{"wrong signature", "GET", strings.Replace(path(done.Status), "sig=", "sig=x", 1), "", 403, "signature"},
		{"other instance", "GET", strings.Replace(path(done.Status), "/done", "/again", 1), "", 403, "signature"},
		{"other operation", "GET", strings.Replace(path(done.Status), "op=status", "op=terminate", 1), "", 403, "signature"},
		{"start through links", "POST", "/api/durabletask-links/orchestrators/Orchestrator?" + strings.SplitN(done.Status, "?", 2)[1], "", 404, ""},
		// The host resolves the dots; what comes to us has no signature.
		{"dots", "GET", "/api/durabletask-links/instances/x/%2e%2e/done", "", 401, "signature"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := a.must(c.method, c.path, c.body)
			if r.status != c.status || !strings.Contains(r.body, c.says) {
				t.Errorf("%d %.300s, want %d and %q", r.status, r.body, c.status, c.says)
			}
		})
	}
}

// path is an URL without scheme and host.
func path(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	return rest[strings.IndexByte(rest, '/'):]
}

// commandLine reads the hub with the tools that come with func.
func commandLine(t *testing.T, a *app) {
	l := a.begin("Orchestrator", "?id=forcli", "")
	a.wantGreetings(l)
	cases := []struct {
		args []string
		says []string
	}{
		{[]string{"get-runtime-status", "--id", "forcli", "--show-output", "true"}, []string{"forcli", "Hello Tokyo!"}},
		{[]string{"get-history", "--id", "forcli"}, []string{"TaskScheduled", "Hello Seattle!", "ExecutionCompleted"}},
		{[]string{"get-instances", "--top", "500"}, []string{"forcli"}},
	}
	for _, c := range cases {
		t.Run(c.args[0], func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), a.fn, append([]string{"durable"}, c.args...)...)
			cmd.Dir = a.dir
			cmd.Env = append(cmd.Environ(), a.env...)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, text := range c.says {
				if !strings.Contains(strings.ReplaceAll(string(out), `\"`, `"`), text) {
					t.Errorf("no %s in\n%s", text, out)
				}
			}
		})
	}
}

// TestQueueDispatch sends every step through the queues.
func TestQueueDispatch(t *testing.T) {
	a := start(t, "./internal/e2e/testapp", testFunctions, "AzureFunctionsJobHost__extensions__durableTask__dispatch=queue")
	a.wantGreetings(a.begin("Orchestrator", "", ""))
	a.load(10, 5)
	if s := a.finish(a.begin("FanOut", "", "20")); string(s.Output) != "20" {
		t.Errorf("fan-out: %s %s", s.RuntimeStatus, s.Output)
	}
	if !strings.Contains(a.host.Log(), "Executing 'Functions.Hello'") {
		t.Error("no invocation of Hello: nothing went through its queue")
	}
}

// TestTwoHosts works on one hub with two hosts.
func TestTwoHosts(t *testing.T) {
	a := start(t, "./internal/e2e/testapp", testFunctions)
	b := newApp(t, "./internal/e2e/testapp", testFunctions)
	b.dir, b.files, b.hub, b.env = t.TempDir(), a.files, a.hub, a.env
	copyApp(t, a, b)
	b.run()
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			host := []*app{a, b}[i%2]
			other := []*app{b, a}[i%2]
			r, err := host.do(http.MethodPost, "/api/orchestrators/Marked", "")
			if err != nil || r.status != http.StatusAccepted {
				t.Errorf("start: %d %v", r.status, err)
				return
			}
			// The status is asked of the host that did not start it.
			status := strings.Replace(r.header.Get("Location"), fmt.Sprint(host.host.Port), fmt.Sprint(other.host.Port), 1)
			other.wantGreetings(links{Status: status})
		})
	}
	group.Wait()
}
