package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/azurite"
	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/e2e/host"
)

// makeApp makes a folder with the lab as an app of its own, which depends on
// this module.
func makeApp(t *testing.T) string {
	t.Helper()
	root, err := host.Root()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	const module = "github.com/durable-go/functions"
	text := strings.Replace(string(mod), "module "+module, "module lab", 1) +
		fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %s => %s\n", module, module, root)
	files := map[string][]byte{"go.mod": []byte(text)}
	functions, err := filepath.Glob(filepath.Join(root, "*", "function.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(functions, filepath.Join(root, "main.go"), filepath.Join(root, "host.json"), filepath.Join(root, "local.settings.json"), filepath.Join(root, "go.sum")) {
		name, err := filepath.Rel(root, file)
		if err != nil {
			t.Fatal(err)
		}
		if files[name], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	for name, raw := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// output is what a program has printed so far. It may be used concurrently.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// TestStart runs the program as a newcomer does, in each of its ways, until the
// lab's output is there, and ends it.
func TestStart(t *testing.T) {
	program := filepath.Join(t.TempDir(), "durable")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	app := makeApp(t)
	for _, c := range []struct {
		name     string
		args     func(t *testing.T) []string
		emulator bool
		signal   os.Signal
		says     []string
	}{
		{"memory", func(*testing.T) []string { return []string{"--storage", "memory"} }, false, syscall.SIGTERM,
			[]string{"without the Functions host", "gone when the app ends", "HttpStart: [GET,POST] http://127.0.0.1:"}},
		{"standalone", func(*testing.T) []string { return nil }, true, os.Interrupt,
			[]string{"func (Azure Functions Core Tools) was not found", "npm install -g azure-functions-core-tools@4", "HttpStart: [GET,POST] http://127.0.0.1:"}},
		{"host", func(t *testing.T) []string { return []string{"--func", host.NeedFunc(t)} }, true, syscall.SIGTERM,
			[]string{"HttpStart: [GET,POST] http://localhost:"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := c.args(t)
			ports := freePorts(t, 4)
			connection := (&azurite.Server{Blob: ports[1], Queue: ports[2], Table: ports[3]}).ConnectionString()
			if c.emulator {
				needAzurite(t)
			}
			cmd := exec.Command(program, append(append([]string{"start", "--port", fmt.Sprint(ports[0])}, args...), app)...)
			cmd.Env = append(os.Environ(), "AzureWebJobsStorage="+connection, "PATH="+pathWithoutFunc(t))
			printed := &output{}
			cmd.Stdout, cmd.Stderr = printed, printed
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			t.Cleanup(func() { _ = cmd.Process.Kill() })
			if err := runLab(t, ports[0], ended); err != nil {
				t.Errorf("%v\n%s", err, printed)
			}
			if err := cmd.Process.Signal(c.signal); err != nil {
				t.Fatal(err)
			}
			if err := <-ended; err != nil {
				t.Errorf("ended with %v\n%s", err, printed)
			}
			for _, text := range c.says {
				if !strings.Contains(printed.String(), text) {
					t.Errorf("did not say %q:\n%s", text, printed)
				}
			}
			if strings.Contains(printed.String(), "level=ERROR") {
				t.Errorf("a healthy app complains:\n%s", printed)
			}
			for _, port := range ports {
				if azurite.Answers(port) {
					t.Errorf("something still listens on port %d", port)
				}
			}
			if left := (&host.Host{Dir: app}).Processes(); len(left) != 0 {
				t.Errorf("processes are left: %v", left)
			}
		})
	}
}

func needAzurite(t *testing.T) {
	t.Helper()
	if _, err := azurite.Find("."); err != nil && !azuritetest.Required() {
		t.Skipf("azurite is needed for this test: %v", err)
	}
}

// pathWithoutFunc is PATH less the places where func is.
func pathWithoutFunc(t *testing.T) string {
	t.Helper()
	var keep []string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if _, err := os.Stat(filepath.Join(dir, "func")); err != nil {
			keep = append(keep, dir)
		}
	}
	return strings.Join(keep, string(os.PathListSeparator))
}

// runLab starts the lab's orchestrator and follows its status URL to the
// output. The deadline ends a test that hangs.
func runLab(t *testing.T, port int, ended <-chan error) error {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var payload struct{ StatusQueryGetURI string }
	start := fmt.Sprintf("http://127.0.0.1:%d/api/orchestrators/Orchestrator", port)
	for {
		code, raw := get(ctx, start)
		if code == http.StatusAccepted {
			if err := json.Unmarshal(raw, &payload); err != nil {
				return err
			}
			break
		}
		select {
		case err := <-ended:
			return fmt.Errorf("ended: %w", err)
		case <-ctx.Done():
			return fmt.Errorf("does not start the orchestrator: %d %s", code, raw)
		case <-time.After(50 * time.Millisecond):
		}
	}
	for {
		code, raw := get(ctx, payload.StatusQueryGetURI)
		switch {
		case code == http.StatusOK && bytes.Contains(raw, []byte(`["Hello Tokyo!","Hello Seattle!","Hello London!"]`)):
			return nil
		case code != http.StatusAccepted:
			return fmt.Errorf("status: %d %s", code, raw)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the orchestration does not finish: %d %s", code, raw)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func get(ctx context.Context, url string) (int, []byte) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, []byte(err.Error())
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, []byte(err.Error())
	}
	defer func() { _ = response.Body.Close() }()
	var body bytes.Buffer
	if _, err := body.ReadFrom(response.Body); err != nil {
		return 0, []byte(err.Error())
	}
	return response.StatusCode, body.Bytes()
}
