//go:build linux

package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/e2e/host"
)

// The official client library, which assumes four partitions by default, starts and
// signals instances whose messages it puts on control queues beside the hub's own.
func TestOfficialClientWithFourPartitions(t *testing.T) {
	root, err := host.Root()
	if err != nil {
		t.Fatal(err)
	}
	client := filepath.Join(root, "..", "shared", "interop", "run")
	if _, err := os.Stat(client); err != nil {
		t.Skip("the official client is needed for this test: ", err)
	}
	h, flags := runConformance(t, host.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 9*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, client, "--connection", h.Options.Storage, "--hub", h.Options.Hub, "--flags", flags, "--partitions", "4", "--wait", "75")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	for line := range strings.Lines(out.String()) {
		if strings.Contains(line, "FAIL") && !strings.Contains(line, "entity_") {
			t.Error(strings.TrimSpace(line))
		}
	}
	t.Logf("%v\n%s", err, out.String())
	if !strings.Contains(out.String(), " passed, ") {
		t.Errorf("the client did not come to its end: %v", err)
	}
	if n := strings.Count(h.Log(), "a client sends to a control queue beside that of this hub"); n != 1 {
		t.Errorf("the log tells %d times of the other queues, want once", n)
	}
}
