//go:build unix

// Package e2e tests apps on the real Functions host, as users run them.
package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/e2e/funchost"
)

var labFunctions = []string{"HttpStart", "Orchestrator", "Hello", "DurableTask", "DurableTaskLinks"}

var testFunctions = append([]string{
	"internal/e2e/testapp/StartAndDie", "internal/e2e/testapp/QueueStart", "internal/e2e/testapp/TimerStart",
}, labFunctions...)

const root = "../.."

// patience ends a test that hangs; nothing is measured with it.
const patience = 2 * time.Minute

func TestMain(m *testing.M) {
	code := azuritetest.Run(m)
	shared.Lock()
	defer shared.Unlock()
	if shared.dir != "" {
		_ = os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}

// shared has the binaries that tests of this package use.
var shared struct {
	sync.Mutex
	dir   string
	built map[string]string
}

// binary builds a program once.
func binary(t *testing.T, program string) string {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.dir == "" {
		dir, err := os.MkdirTemp(azuritetest.TempRoot(), "durable-e2e-")
		check(t, err)
		shared.dir, shared.built = dir, map[string]string{}
	}
	if shared.built[program] == "" {
		dir := filepath.Join(shared.dir, fmt.Sprint(len(shared.built)))
		check(t, funchost.Build(root, dir, program))
		shared.built[program] = filepath.Join(dir, "bin", "handler")
	}
	return shared.built[program]
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// app is an app on a host of its own.
type app struct {
	t     *testing.T
	host  *funchost.Host
	dir   string // of the app
	files string // what tests and app leave each other
	hub   string
	env   []string
	fn    string
}

// newApp makes an app without starting it.
func newApp(t *testing.T, program string, functions []string, env ...string) *app {
	t.Helper()
	fn, err := funchost.Find()
	if err != nil {
		if azuritetest.Required() {
			t.Fatalf("the Functions host is required: %v", err)
		}
		t.Skipf("the Functions host is needed for this test: %v", err)
	}
	server := azuritetest.Server(t)
	a := &app{t: t, fn: fn, dir: t.TempDir(), files: t.TempDir(), hub: azuritetest.HubName()}
	check(t, funchost.Copy(root, a.dir, a.hub, functions...))
	check(t, os.MkdirAll(filepath.Join(a.dir, "bin"), 0o755))
	check(t, os.Link(binary(t, program), filepath.Join(a.dir, "bin", "handler")))
	a.env = append([]string{
		"AzureWebJobsStorage=" + server.ConnectionString(),
		"TaskHub=" + a.hub,
		"E2E_DIR=" + a.files,
		"AzureFunctionsJobHost__extensions__durableTask__storageProvider__controlQueueVisibilityTimeout=00:00:01",
		"AzureFunctionsJobHost__extensions__queues__visibilityTimeout=00:00:01",
	}, env...)
	return a
}

// start runs the app until the test ends.
func start(t *testing.T, program string, functions []string, env ...string) *app {
	t.Helper()
	a := newApp(t, program, functions, env...)
	a.run()
	return a
}

func (a *app) run(args ...string) {
	a.t.Helper()
	host, err := funchost.Start(a.t.Context(), funchost.Options{Func: a.fn, Dir: a.dir, Env: a.env, Args: args})
	check(a.t, err)
	a.host = host
	a.t.Cleanup(func() {
		host.Stop()
		if a.t.Failed() {
			a.t.Logf("host:\n%s", host.Log())
		}
	})
}

// reply is the answer to a request.
type reply struct {
	status int
	header http.Header
	body   string
}

func (a *app) do(method, url, body string, header ...string) (reply, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if strings.HasPrefix(url, "/") {
		url = a.host.URL(url)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(raw)}, err
}

func (a *app) must(method, url, body string, header ...string) reply {
	a.t.Helper()
	r, err := a.do(method, url, body, header...)
	check(a.t, err)
	return r
}

// links are the URLs of a started instance.
type links struct {
	ID     string `json:"id"`
	Status string `json:"statusQueryGetUri"`
}

// begin starts an orchestrator through HttpStart.
func (a *app) begin(orchestrator, query, body string) links {
	a.t.Helper()
	r := a.must(http.MethodPost, "/api/orchestrators/"+orchestrator+query, body)
	if r.status != http.StatusAccepted {
		a.t.Fatalf("start of %s: %d %s", orchestrator, r.status, r.body)
	}
	var l links
	check(a.t, json.Unmarshal([]byte(r.body), &l))
	return l
}

// status is the part of the status payload that tests look at.
type status struct {
	RuntimeStatus string          `json:"runtimeStatus"`
	Output        json.RawMessage `json:"output"`
}

// finish waits for an instance to finish. Answers that are neither 200 nor 202
// are tried again: a test may have killed the handler.
func (a *app) finish(l links) status {
	a.t.Helper()
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		r, err := a.do(http.MethodGet, l.Status, "", "Prefer", "wait=5")
		if err == nil && r.status == http.StatusOK {
			var s status
			check(a.t, json.Unmarshal([]byte(r.body), &s))
			return s
		}
		if err != nil || r.status != http.StatusAccepted {
			<-time.After(50 * time.Millisecond)
		}
	}
	a.t.Fatalf("instance %s did not finish", l.ID)
	return status{}
}

const greetings = `["Hello Tokyo!","Hello Seattle!","Hello London!"]`

func (a *app) wantGreetings(l links) {
	a.t.Helper()
	if s := a.finish(l); s.RuntimeStatus != "Completed" || string(s.Output) != greetings {
		a.t.Errorf("instance %s: %s %s", l.ID, s.RuntimeStatus, s.Output)
	}
}

// eventually polls a condition.
func (a *app) eventually(what string, ok func() bool) {
	a.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	a.t.Fatalf("%s did not happen", what)
}

// marks are the activities that ran for an instance, in order.
func (a *app) marks(id string) []string {
	raw, _ := os.ReadFile(filepath.Join(a.files, "marks"))
	var out []string
	for line := range strings.Lines(string(raw)) {
		if instance, name, _ := strings.Cut(strings.TrimSpace(line), " "); instance == id {
			out = append(out, name)
		}
	}
	return out
}
