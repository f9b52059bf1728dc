//go:build linux

package e2e

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/azurite"
	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/e2e/host"
)

// keyless is an app with a managed identity and no keys: storage over TLS that accepts
// tokens, and an identity endpoint, on the real host.
type keyless struct {
	h *host.Host
	// work has the logs and the app.
	work string
	done io.Closer
	end  func() error
	logs *strings.Builder
}

// answersAt is what the script says when the app answers.
var answersAt = regexp.MustCompile(`answers at (\S+); logs in (\S+)`)

func runKeyless(t *testing.T) *keyless {
	t.Helper()
	run := official(t, "identity", "run")
	host.NeedFunc(t)
	script, err := azurite.Find(".")
	if err != nil && azuritetest.Required() {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip(err)
	}
	app := t.TempDir()
	if err := host.MakeApp(app, host.Options{Hub: "Identity", Main: "./samples/conformance", Folders: []string{"samples/conformance"}}); err != nil {
		t.Fatal(err)
	}
	// The script runs until its command ends, which ends with its input.
	cmd := inGroup(bounded(t), run, app, "--", "sh", "-c", `read done; cat "$WORK/func.log" >&2`)
	cmd.Env = append(os.Environ(), "AZURITE="+script, "TMPDIR="+t.TempDir())
	k := &keyless{logs: &strings.Builder{}, end: cmd.Wait}
	cmd.Stderr = k.logs
	in, broken := cmd.StdinPipe()
	said, err := cmd.StdoutPipe()
	if err := errors.Join(broken, err, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	k.done = in
	line, err := bufio.NewReader(said).ReadString('\n')
	found := answersAt.FindStringSubmatch(line)
	if err != nil || found == nil {
		t.Fatalf("%v, said %q\n%s", errors.Join(err, cmd.Wait()), line, k.logs)
	}
	k.h, k.work = &host.Host{URL: found[1]}, found[2]
	return k
}

// log is one of the script's logs.
func (k *keyless) log(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(k.work, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// tokens counts the requests for tokens of the handler and of the host, whose audiences
// differ in the slash at the end.
func (k *keyless) tokens(t *testing.T) (handler, host int) {
	t.Helper()
	for line := range strings.Lines(k.log(t, "tokens.log")) {
		switch plain := strings.NewReplacer("%3A", ":", "%2F", "/").Replace(line); {
		case strings.Contains(plain, "resource=https://storage.azure.com/&"):
			handler++
		case strings.Contains(plain, "resource=https://storage.azure.com&"), strings.Contains(plain, "resource=https://storage.azure.com "):
			host++
		default:
			t.Errorf("a token for something else was asked for: %s", line)
		}
	}
	return handler, host
}

// The app works with a managed identity and no keys. One token serves the tables, queues
// and blobs of a process.
func TestManagedIdentity(t *testing.T) {
	t.Parallel()
	k := runKeyless(t)
	withIdentity(t, k.h)
	if handler, host := k.tokens(t); handler != 1 || host != 1 {
		t.Errorf("the handler asked for %d tokens and the host for %d, want 1 of each:\n%s", handler, host, k.log(t, "tokens.log"))
	}
	k.restart(t)
	completes(t, k.h, "waits", `"after the restart"`)
	completes(t, k.h, starts(t, k.h, "Orchestrator", "", "null"), labOutput)
	// On a loaded machine the host may start more than one.
	if handler, _ := k.tokens(t); handler != k.handlers(t) {
		t.Errorf("%d processes asked for %d tokens, want one each:\n%s", k.handlers(t), handler, k.log(t, "tokens.log"))
	}
	requests := k.log(t, "azurite.log")
	if strings.Contains(requests, "SharedKey") || strings.Count(requests, "HTTP/1.1") < 100 {
		t.Errorf("a request was signed with a key, or the log has no requests: %.2000s", requests)
	}
	if err := errors.Join(k.done.Close(), k.end()); err != nil || t.Failed() {
		t.Errorf("%v\n%s", err, k.logs)
	}
}

// restart makes the host begin anew, as it does when the app's files change, and raises
// an event for an instance that waits over that.
func (k *keyless) restart(t *testing.T) {
	t.Helper()
	starts(t, k.h, "WaitGo", "waits", "null")
	waitUntil(t, k.h, "waits", "Running")
	before, now := k.handlers(t), time.Now()
	if err := os.Chtimes(filepath.Join(k.work, "app", "host.json"), now, now); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another handler has started", func() bool { return k.handlers(t) > before })
	eventually(t, "the event is taken", func() bool {
		reply, err := k.h.Do(bounded(t), http.MethodPost, "/api/durabletask/instances/waits/raiseEvent/Go", []byte(`"after the restart"`))
		return err == nil && reply.Code == http.StatusAccepted
	})
}

// handlers is how many handlers the host has started.
func (k *keyless) handlers(t *testing.T) int {
	t.Helper()
	return strings.Count(k.log(t, "func.log"), "Worker process started")
}

// withIdentity does what needs tables, queues and blobs.
func withIdentity(t *testing.T, h *host.Host) {
	t.Helper()
	completes(t, h, starts(t, h, "Orchestrator", "lab", "null"), labOutput)
	large := `"` + strings.Repeat("x", 200_000) + `"`
	completes(t, h, starts(t, h, "EchoInput", "large", large), large)
	starts(t, h, "WaitGo", "stopped", "null")
	waitUntil(t, h, "stopped", "Running")
	for _, request := range []struct {
		method, path string
		code         int
	}{
		{http.MethodGet, "/api/durabletask/instances?top=10", http.StatusOK},
		{http.MethodDelete, "/api/durabletask/instances/lab", http.StatusOK},
		{http.MethodGet, "/api/durabletask/instances/lab", http.StatusNotFound},
		{http.MethodPost, "/api/durabletask/instances/stopped/terminate?reason=enough", http.StatusAccepted},
	} {
		reply, err := h.Do(bounded(t), request.method, request.path, nil)
		if err != nil || reply.Code != request.code {
			t.Errorf("%s %s: %v %v, want %d", request.method, request.path, reply, err, request.code)
		}
	}
	ends(t, h, "stopped", "Terminated", `"enough"`)
}
