//go:build linux

package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/e2e/host"
)

// debugger finds Delve: DURABLE_DLV, or dlv on PATH.
func debugger(t *testing.T) string {
	t.Helper()
	dlv := os.Getenv("DURABLE_DLV")
	if dlv == "" {
		dlv, _ = exec.LookPath("dlv")
	}
	if _, err := os.Stat(dlv); err == nil {
		return dlv
	}
	if azuritetest.Required() {
		t.Fatal("dlv was not found: set DURABLE_DLV or put it on PATH")
	}
	t.Skip("dlv is needed for this test: go install github.com/go-delve/delve/cmd/dlv@v1.27.2")
	return ""
}

// editorTask is the environment that the editor's task gives to the host, for
// another port of the debugger.
func editorTask(t *testing.T, root string, port int) (env []string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, ".vscode", "tasks.json"))
	if err != nil {
		t.Fatal(err)
	}
	file := decode[struct {
		Tasks []struct {
			Label   string
			Options struct{ Env map[string]string }
		}
	}](t, raw)
	for _, task := range file.Tasks {
		if task.Label != "durable: host under debugger" {
			continue
		}
		for name, value := range task.Options.Env {
			value = strings.NewReplacer("${workspaceFolder}", ".", "2345", fmt.Sprint(port)).Replace(value)
			if !strings.Contains(value, "${") {
				env = append(env, name+"="+value)
			}
		}
	}
	if len(env) == 0 {
		t.Fatal("tasks.json has no environment for the host under the debugger")
	}
	return env
}

// lineOf is the number of the line that contains a text.
func lineOf(t *testing.T, file, text string) int {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(raw), "\n") {
		if strings.Contains(line, text) {
			return i + 1
		}
	}
	t.Fatalf("%s has no line with %s", file, text)
	return 0
}

// F5 without the editor: its task's host, its debugger, its breakpoints. In the lab, and
// in an app that "durable init" makes.
func TestDebugger(t *testing.T) {
	debugger(t)
	host.NeedFunc(t)
	root, err := host.Root()
	if err != nil {
		t.Fatal(err)
	}
	t.Run("lab", func(t *testing.T) { debug(t, root) })
	t.Run("generated", func(t *testing.T) { debug(t, generated(t, root, "hello")) })
}

// debug runs the app in a folder under the debugger, as its editor's settings say.
func debug(t *testing.T, root string) {
	dlv, port := debugger(t), freePort(t)
	h := host.Run(t, host.Options{
		App: root, Storage: azuritetest.Server(t).ConnectionString(), Hub: azuritetest.HubName(),
		Build: []string{"-gcflags=all=-N -l"},
		Env:   append(editorTask(t, root, port), "PATH="+filepath.Dir(dlv)+string(os.PathListSeparator)+os.Getenv("PATH")),
	})
	starter := filepath.Join(root, "HttpStart", "httpstart.go")
	orchestrator := filepath.Join(root, "Orchestrator", "orchestrator.go")
	activity := filepath.Join(root, "Hello", "hello.go")
	session := dialDAP(t, port)
	session.attach(map[string]int{
		starter:      lineOf(t, starter, "client.StartNew("),
		orchestrator: lineOf(t, orchestrator, "hello.Activity.Call("),
		activity:     lineOf(t, activity, `return "Hello "`),
	})
	started := make(chan *host.Links, 1)
	go func() {
		links, err := h.StartNew(bounded(t), http.MethodGet, "Orchestrator", "id=debugged", nil)
		if err != nil {
			t.Error(err)
		}
		started <- links
	}()
	want := []string{starter, orchestrator, activity, orchestrator, activity, orchestrator, activity}
	var got []string
	for range want {
		file, resume := session.next()
		got = append(got, file)
		resume()
	}
	if !slices.Equal(got, want) {
		t.Errorf("breakpoints were hit in\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if links := <-started; links != nil {
		completes(t, h, links.ID, labOutput)
	}
	session.request("disconnect", map[string]any{"terminateDebuggee": false})
	if err := h.Stop(); err != nil {
		t.Error(err)
	}
	eventually(t, "the debugger is gone", func() bool {
		conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}
