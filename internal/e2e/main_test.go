//go:build linux

// Package e2e runs the lab and a test app on the real Functions host, with the
// storage emulator.
package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/e2e/host"
)

// patience ends a test that hangs. No test needs anything like it.
const patience = 4 * time.Minute

// labOutput is what the lab's orchestrator returns.
const labOutput = `["Hello Tokyo!","Hello Seattle!","Hello London!"]`

func TestMain(m *testing.M) { os.Exit(azuritetest.Run(m)) }

// bounded is a context that ends with the test, or a test that hangs.
func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// runLab runs the lab on a hub of its own.
func runLab(t *testing.T, settings map[string]any) *host.Host {
	t.Helper()
	host.NeedFunc(t)
	return host.Run(t, host.Options{Storage: azuritetest.Server(t).ConnectionString(), Hub: azuritetest.HubName(), Settings: settings})
}

// runTestApp runs the test app on a hub of its own, with additions to the
// environment, and returns the directory of its traces.
func runTestApp(t *testing.T, env ...string) (*host.Host, string) {
	t.Helper()
	// Processes die in these tests: short leases bring others soon.
	return runTestAppWithLease(t, "00:00:02", env...)
}

// runTestAppWithLease is runTestApp with leases of that time.
func runTestAppWithLease(t *testing.T, lease string, env ...string) (*host.Host, string) {
	t.Helper()
	host.NeedFunc(t)
	traces := t.TempDir()
	leases := map[string]any{"partitionCount": 1, "controlQueueVisibilityTimeout": lease}
	return host.Run(t, host.Options{
		Settings: map[string]any{"storageProvider": leases},
		Main:     "./internal/e2e/testapp", Folders: []string{"internal/e2e/testapp"},
		Storage: azuritetest.Server(t).ConnectionString(), Hub: azuritetest.HubName(),
		Env: append(env, "E2E_TRACES="+traces),
	}), traces
}

// runConformance runs the conformance sample on a hub of its own, and returns
// the directory of its flag files.
func runConformance(t *testing.T, o host.Options) (*host.Host, string) {
	t.Helper()
	host.NeedFunc(t)
	flags := t.TempDir()
	o.Main, o.Folders = "./samples/conformance", []string{"samples/conformance"}
	o.Storage, o.Hub = azuritetest.Server(t).ConnectionString(), azuritetest.HubName()
	o.Env = append(o.Env, "FLAGS="+flags)
	return host.Run(t, o), flags
}

// completes waits for an instance and checks how it ended.
func completes(t *testing.T, h *host.Host, id, output string) *host.Status {
	t.Helper()
	status, err := h.Wait(bounded(t), id)
	if err != nil {
		t.Fatal(err)
	}
	if status.RuntimeStatus != "Completed" || string(status.Output) != output {
		t.Fatalf("instance %s: %s %s, want Completed %s", id, status.RuntimeStatus, status.Output, output)
	}
	return status
}

// starts starts an orchestrator and returns its id.
func starts(t *testing.T, h *host.Host, orchestrator, id, input string) string {
	t.Helper()
	query := ""
	if id != "" {
		query = "id=" + id
	}
	links, err := h.StartNew(bounded(t), http.MethodPost, orchestrator, query, []byte(input))
	if err != nil {
		t.Fatal(err)
	}
	return links.ID
}

// decode reads JSON that must be right.
func decode[T any](t *testing.T, raw []byte) (v T) {
	t.Helper()
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return v
}
