//go:build linux

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/e2e/host"
)

// handlerRun is the lab's handler, run without a host.
type handlerRun struct {
	cmd *exec.Cmd

	mu   sync.Mutex
	text strings.Builder
}

func (r *handlerRun) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *handlerRun) log() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// runHandler starts the lab's handler as the host would, on an app of files.
func runHandler(t *testing.T, files map[string]string, env ...string) *handlerRun {
	t.Helper()
	root, err := host.Root()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if files["host.json"] == "" {
		files["host.json"] = `{"version":"2.0","customHandler":{"enableProxyingHttpRequest":true}}`
	}
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	binary := filepath.Join(dir, "bin", "handler")
	if err := host.Build(root, ".", binary); err != nil {
		t.Fatal(err)
	}
	r := &handlerRun{cmd: exec.CommandContext(bounded(t), binary)}
	r.cmd.Dir = dir
	r.cmd.Stdout, r.cmd.Stderr = r, r
	r.cmd.Env = append(os.Environ(), append([]string{"TaskHub=", "AzureWebJobsStorage="}, env...)...)
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return r
}

const starterJSON = `{"bindings":[{"type":"httpTrigger","direction":"in","name":"req","route":"orchestrators/{functionName}"},{"type":"http","direction":"out","name":"res"}]}`

// What is wrong with an app or its settings ends it at once, with one line that
// says what to change.
func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		env   []string
		says  []string
	}{
		{"no storage", nil, nil, []string{"AzureWebJobsStorage", "UseDevelopmentStorage=true"}},
		{"malformed storage", nil, []string{"AzureWebJobsStorage=nonsense"}, []string{"AzureWebJobsStorage", "connection string"}},
		{"function.json does not parse", map[string]string{"HttpStart/function.json": "{"}, nil, []string{"HttpStart/function.json", "parse"}},
		{"two functions of one name", map[string]string{"httpstart/function.json": starterJSON}, nil, []string{"function.json", "same name"}},
		{"hub and setting differ", nil, []string{"AzureWebJobsStorage=memory", "TaskHub=Another"}, []string{"TaskHub", "Another", "hubName"}},
		{"wrong setting", map[string]string{"host.json": `{"version":"2.0","extensions":{"durableTask":{"dispatch":"sideways"}}}`}, nil, []string{"host.json", "dispatch", "local, queue"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := map[string]string{"HttpStart/function.json": starterJSON}
			for name, text := range c.files {
				files[name] = text
			}
			r := runHandler(t, files, append(c.env, fmt.Sprint("FUNCTIONS_CUSTOMHANDLER_PORT=", freePort(t)))...)
			err := r.cmd.Wait()
			if err == nil || r.cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("ended with %v, want exit code 1", err)
			}
			for _, text := range c.says {
				if !strings.Contains(r.log(), text) {
					t.Errorf("does not say %q:\n%s", text, r.log())
				}
			}
		})
	}
}

// An app whose storage does not answer says so once, stays up, and answers 503.
func TestStorageUnreachable(t *testing.T) {
	port, nobody := freePort(t), freePort(t)
	storage := fmt.Sprintf("AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:%d/a;QueueEndpoint=http://127.0.0.1:%d/a;TableEndpoint=http://127.0.0.1:%d/a", nobody, nobody, nobody)
	r := runHandler(t, map[string]string{"HttpStart/function.json": starterJSON}, "AzureWebJobsStorage="+storage, fmt.Sprint("FUNCTIONS_CUSTOMHANDLER_PORT=", port))
	ctx := bounded(t)
	eventually(t, "the app answers 503", func() bool { return answers(ctx, port) == http.StatusServiceUnavailable })
	if n := strings.Count(r.log(), "the storage account does not answer"); n != 1 {
		t.Errorf("said it %d times:\n%s", n, r.log())
	}
	for _, service := range []string{"table", "queue", "blob"} {
		if n := strings.Count(r.log(), "requests are repeated until it does\" service="+service); n > 1 {
			t.Errorf("said of the %s service %d times that it is away:\n%s", service, n, r.log())
		}
	}
	_ = r.cmd.Process.Signal(os.Interrupt)
	if err := r.cmd.Wait(); err == nil {
		t.Error("ended with exit code 0: the host would not start it again")
	}
}

func answers(ctx context.Context, port int) int {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/api/orchestrators/Orchestrator", port), nil)
	if err != nil {
		return 0
	}
	// As the host passes a request on: the port answers no other.
	request.Header.Set("X-Azure-Functions-InvocationId", "startup")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}
