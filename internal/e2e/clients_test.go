//go:build linux

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/e2e/host"
)

// official finds a program around official code, beside the module. Without it the test
// is skipped, or fails where tools are required.
func official(t *testing.T, path ...string) string {
	t.Helper()
	root, err := host.Root()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(append([]string{filepath.Dir(root), "shared"}, path...)...)
	if _, err = os.Stat(file); err == nil {
		return file
	}
	if azuritetest.Required() {
		t.Fatal(err)
	}
	t.Skip("official code is needed for this test: ", err)
	return ""
}

// needNode finds node. Without it the test is skipped, or fails where tools are required.
func needNode(t *testing.T) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil && azuritetest.Required() {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip("node is needed for this test: ", err)
	}
	return node
}

// inGroup is a command in a process group of its own, which ends as a whole.
func inGroup(ctx context.Context, name string, arguments ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, arguments...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	return cmd
}

// app is a program on a Functions host of its own.
type app struct {
	url   string
	ready func(t *testing.T)
}

// background runs a program on the Functions host until the test ends. It is ready when
// it answers at the path.
func background(t *testing.T, program, path string, env ...string) app {
	t.Helper()
	port := strconv.Itoa(freePort(t))
	ctx, cancel := context.WithCancel(t.Context())
	said := &strings.Builder{}
	cmd := inGroup(ctx, program, port, filepath.Join(t.TempDir(), "app"))
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		err := cmd.Wait()
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log of %s:\n%s", program, said)
		}
	})
	h := &host.Host{URL: "http://127.0.0.1:" + port}
	return app{h.URL, func(t *testing.T) {
		t.Helper()
		eventually(t, program+" answers", func() bool {
			reply, err := h.Do(ctx, http.MethodGet, path, nil)
			return err == nil && reply.Code == http.StatusOK
		})
	}}
}

// passed is how the checks of official clients end.
var passed = regexp.MustCompile(`(?m)^([1-9]\d*) passed, 0 failed$`)

// clients are official clients of a hub, each of which makes checks.
type clients struct {
	h                           *host.Host
	flags                       string
	library, node, check, pages string
	// wait is for how many seconds the library waits for anything: the first message for
	// a queue that is not the hub's may take a minute.
	wait string
}

// newClients runs the conformance sample for official clients.
func newClients(t *testing.T, o host.Options) *clients {
	t.Helper()
	c := &clients{library: official(t, "interop", "run"), check: official(t, "monitor", "check.js"), pages: official(t, "monitor", "run"), node: needNode(t), wait: "75"}
	c.h, c.flags = runConformance(t, o)
	return c
}

// checks are some that a client makes. What they say is for the test's log.
type checks struct {
	name, program string
	arguments     []string
}

// ofLibrary are checks of the .NET client library, which has that many partitions.
func (c *clients) ofLibrary(partitions, match string) checks {
	wait := c.wait
	if match == slowLibrary {
		wait = "150" // begun first: its queue is found within a minute, and the start fails a minute later
	}
	return checks{"library, partitions " + partitions, c.library, []string{
		"--connection", c.h.Options.Storage, "--hub", c.h.Options.Hub, "--flags", c.flags, "--partitions", partitions, "--wait", wait, "--match", match,
	}}
}

// ofMonitor are checks of what a person does in Durable Functions Monitor.
func (c *clients) ofMonitor(name string, monitor app, match string) checks {
	port := monitor.url[strings.LastIndexByte(monitor.url, ':')+1:]
	return checks{"monitor, " + name, c.node, []string{c.check, port, c.h.Options.Hub, "--children", "--entities", "--match", match}}
}

// monitor runs the monitor with a partition count; "" is its own default of four.
func (c *clients) monitor(t *testing.T, partitions string) app {
	t.Helper()
	return background(t, c.pages, "/durable-functions-monitor/", "AzureWebJobsStorage="+c.h.Options.Storage, "PARTITIONS="+partitions)
}

// make makes the checks and returns what was said, and an error where one has failed.
func (c checks) make(ctx context.Context) (said string, err error) {
	out, err := inGroup(ctx, c.program, c.arguments...).CombinedOutput()
	if err == nil && !passed.Match(out) {
		err = errors.New("no check was made")
	}
	if err != nil {
		err = fmt.Errorf("%s: %w, want all checks to pass", c.name, err)
	}
	return string(out), err
}

// all makes checks of several clients at the same time: lists of them, each one after
// the other. All of them must pass.
func all(t *testing.T, lists ...[]checks) {
	t.Helper()
	if t.Failed() {
		return
	}
	var group sync.WaitGroup
	ctx := t.Context()
	for _, list := range lists {
		group.Go(func() {
			for _, c := range list {
				began := time.Now()
				said, err := c.make(ctx)
				t.Logf("%s, %v:\n%s", c.name, time.Since(began).Round(time.Second), said)
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

// Checks that see what other clients do meanwhile are made when those have ended: they
// purge what was finished in the last seconds, list the newest, or compare lists.
const (
	aloneLibrary = "purge_by_time|event_order"
	aloneMonitor = "list_by_time_sorted_paged|restart_new_id|purge_by_time"
	// slow checks start what the app does not have, which takes a minute.
	slowLibrary, slowMonitor = "start_unknown", "failed"
)

func but(checks ...string) string { return "^(?!(" + strings.Join(checks, "|") + "))" }

// The official .NET client library starts, signals, reads, rewinds and purges
// orchestrations of this hub and signals and reads entities, and so does a person in
// Durable Functions Monitor, which uses it: with the partition count of the hub, and with
// their own default of four. It waits for most of its time: others go on meanwhile.
func TestOfficialClients(t *testing.T) {
	t.Parallel()
	c := newClients(t, host.Options{})
	one, four := c.monitor(t, "1"), c.monitor(t, "")
	other := background(t, official(t, "official", "run"), "/", "AzureWebJobsStorage="+c.h.Options.Storage, "Ours="+c.h.Options.Storage)
	one.ready(t)
	four.ready(t)
	// What comes first with four partitions waits for the next look at other queues.
	all(t,
		[]checks{c.ofLibrary("1", slowLibrary)},
		[]checks{c.ofMonitor("1 partition", one, "^"+slowMonitor)},
		[]checks{c.ofLibrary("4", but(slowLibrary, aloneLibrary, "two_hundred", "query_by_prefix", "entity_five")), c.ofMonitor("4 partitions", four, but(slowMonitor, aloneMonitor))},
		[]checks{c.ofLibrary("1", but(slowLibrary, aloneLibrary)), c.ofMonitor("1 partition", one, but(slowMonitor, aloneMonitor))},
	)
	all(t, []checks{
		c.ofLibrary("4", aloneLibrary), c.ofLibrary("1", aloneLibrary),
		c.ofMonitor("1 partition", one, "^(start|"+aloneMonitor+")$"), c.ofMonitor("4 partitions", four, "^(start|"+aloneMonitor+")$"),
	})
	other.ready(t)
	otherAPI(t, &host.Host{URL: other.url}, c.h)
	rowsAreTrue(t, c.h)
	if n := strings.Count(c.h.Log(), "a client sends to a control queue beside that of this hub"); n != 1 {
		t.Errorf("the log tells %d times of the other queues, want once", n)
	}
	if strings.Contains(c.h.Log(), "runs on this task hub") {
		t.Error("a client is taken for an app on the hub")
	}
}

// otherAPI works on this hub through the HTTP API of an app with the official extension,
// whose own hub is another one.
func otherAPI(t *testing.T, other, h *host.Host) {
	t.Helper()
	do := func(method, path string, body []byte, code int) []byte {
		t.Helper()
		path, query, _ := strings.Cut(path, "?")
		reply, err := other.Do(bounded(t), method, "/runtime/webhooks/durabletask/"+path+"?taskHub="+h.Options.Hub+"&connection=Ours&"+query, body)
		if err != nil || reply.Code != code {
			t.Fatalf("%s %s: %v %v, want %d", method, path, reply, err, code)
		}
		return reply.Body
	}
	do(http.MethodPost, "orchestrators/WaitGo/other-1", []byte("null"), http.StatusAccepted)
	waitUntil(t, h, "other-1", "Running")
	do(http.MethodPost, "instances/other-1/raiseEvent/Go", []byte("7"), http.StatusAccepted)
	completes(t, h, "other-1", "7")
	status := decode[host.Status](t, do(http.MethodGet, "instances/other-1?showHistory=true", nil, http.StatusOK))
	if status.RuntimeStatus != "Completed" || string(status.Output) != "7" {
		t.Errorf("the other app shows %s %s", status.RuntimeStatus, status.Output)
	}
	do(http.MethodDelete, "instances/other-1", nil, http.StatusOK)
	do(http.MethodGet, "instances/other-1", nil, http.StatusNotFound)
	do(http.MethodPost, "orchestrators/WaitGo/other-2", []byte("null"), http.StatusAccepted)
	waitUntil(t, h, "other-2", "Running")
	do(http.MethodPost, "instances/other-2/terminate?reason=enough", nil, http.StatusAccepted)
	ends(t, h, "other-2", "Terminated", `"enough"`)
	do(http.MethodPost, "entities/Counter/other?op=add", []byte("4"), http.StatusAccepted)
	eventually(t, "the entity has the state", func() bool {
		reply, err := h.Do(bounded(t), http.MethodGet, "/api/durabletask/entities/Counter/other", nil)
		return err == nil && string(reply.Body) == "4"
	})
}
