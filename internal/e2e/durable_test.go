//go:build linux

package e2e

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/e2e/host"
)

// tool is the command durable, built from this module.
type tool struct {
	program string
	h       *host.Host
}

func buildTool(t *testing.T, h *host.Host) *tool {
	t.Helper()
	root, err := host.Root()
	if err != nil {
		t.Fatal(err)
	}
	c := &tool{filepath.Join(t.TempDir(), "durable"), h}
	build := exec.CommandContext(bounded(t), "go", "build", "-o", c.program, "./cmd/durable")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return c
}

// says runs a command and checks its exit code and what it prints.
func (c *tool) says(t *testing.T, code int, texts []string, arguments ...string) {
	t.Helper()
	cmd := exec.CommandContext(bounded(t), c.program, arguments...)
	cmd.Env = append(os.Environ(), "AzureWebJobsStorage="+c.h.Options.Storage, "TaskHub="+c.h.Options.Hub)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	err := cmd.Run()
	got := 0
	if ended := new(exec.ExitError); errors.As(err, &ended) {
		got = ended.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		if !strings.Contains(out.String(), text) {
			t.Errorf("durable %s does not say %q:\n%s%s", strings.Join(arguments, " "), text, &out, &problems)
		}
	}
	if got != code {
		t.Errorf("durable %s ended with %d, want %d:\n%s%s", strings.Join(arguments, " "), got, code, &out, &problems)
	}
}

// Our own tool works on an app in the Functions host: through the host's function with
// a key, and through the storage account beside it.
func TestDurableTool(t *testing.T) {
	h, _ := runConformance(t, host.Options{})
	c := buildTool(t, h)
	for way, flags := range map[string][]string{
		"app":     {"--url", h.URL},
		"storage": {"--dir", h.Dir, "--hub", h.Options.Hub},
	} {
		t.Run(way, func(t *testing.T) {
			run := func(code int, texts []string, arguments ...string) {
				t.Helper()
				c.says(t, code, texts, append(arguments, flags...)...)
			}
			id := "tool-" + way
			run(0, []string{`"Hello Tokyo!"`}, "run", "Orchestrator", "--id", id)
			run(0, []string{id, "Orchestrator", "Completed"}, "list", "--prefix", id)
			run(0, []string{"1\n"}, "count", "--prefix", id)
			run(0, []string{`"runtimeStatus": "Completed"`, `"Hello Tokyo!"`}, "show", id, "-o", "json")
			run(0, []string{"ExecutionStarted", "TaskCompleted", "ExecutionCompleted"}, "history", id, "--follow")
			run(0, []string{"id\n"}, "run", "WaitTwoSeq", "--id", id+"-id", "--no-wait")
			waitUntil(t, h, id+"-id", "Running")
			run(5, nil, "wait", id+"-id", "--timeout", "100ms")
			run(0, nil, "event", id+"-id", "Go", "--data", "1")
			run(0, nil, "terminate", id+"-id", "--reason", "enough")
			run(4, []string{`"runtimeStatus":"Terminated"`}, "wait", id+"-id", "-o", "jsonl")
			run(0, nil, "purge", id)
			run(3, nil, "show", id)
			run(0, []string{h.Options.Hub}, "hub", "info")
		})
	}
}
