//go:build linux

package e2e

import (
	"context"
	"errors"
	"maps"
	"net"
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

// played is what the scenarios together may take. Their own waits come to some
// two minutes.
const played = 12 * time.Minute

// What the official extension answered, the sample answers too, but for the
// differences that are listed with their reasons.
func TestConformance(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil && azuritetest.Required() {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip("node is needed to play the recordings: ", err)
	}
	listed := differences(t)
	for _, port := range []string{"7098", "7099"} {
		needPort(t, port)
	}
	h, flags := runConformance(t, host.Options{})
	report := play(t, node, h, flags)
	for name := range listed {
		if _, known := report[name]; !known && !playedHere[name] {
			t.Errorf("docs/differences.json lists %s, which is no scenario", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(report)) {
		t.Run(name, func(t *testing.T) {
			differs := len(report[name]) > 0
			switch reason := listed[name]; {
			case differs && reason == "":
				t.Errorf("differs from the recording:\n%s", strings.Join(report[name], "\n"))
			case differs:
				t.Logf("%s\n%s", reason, strings.Join(report[name], "\n"))
			case reason != "" && !inTurns[name] && scenarios() == everyScenario:
				t.Errorf("listed as different, but the same: %s", reason)
			}
		})
	}
}

// needPort fails when a port is taken that the recordings name.
func needPort(t *testing.T, port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatalf("the recorded scenarios of callHTTP need port %s of this machine: %v", port, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// play plays the recordings against the host and returns the differences of
// each scenario.
func play(t *testing.T, node string, h *host.Host, flags string) map[string][]string {
	t.Helper()
	root, err := host.Root()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), played)
	defer cancel()
	file := filepath.Join(t.TempDir(), "report.json")
	arguments := []string{
		filepath.Join(root, "internal", "e2e", "testdata", "golden", "play", "scenarios.js"),
		"--base", h.URL, "--api", "/api/durabletask/", "--report", file, "--match", scenarios(),
		"--differences", filepath.Join(root, "docs", "differences.json"),
	}
	cmd := exec.CommandContext(ctx, node, arguments...)
	cmd.Env = append(os.Environ(), "FLAGS="+flags)
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || ctx.Err() != nil) {
		t.Fatalf("node: %v\n%s", err, out)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("the player ended without a report: %v\n%s", err, out)
	}
	report := decode[map[string][]string](t, raw)
	if len(report) == 0 {
		t.Fatalf("no scenario was played:\n%s", out)
	}
	return report
}

// scenarios is the expression for those to play: all that can be, or those that
// the setting E2E_SCENARIOS matches.
func scenarios() string {
	if match := os.Getenv("E2E_SCENARIOS"); match != "" {
		return match
	}
	return everyScenario
}

// everyScenario is the expression for all of them.
const everyScenario = "."

// inTurns are scenarios that differ in most runs: of two requests at the same time
// either may be the first.
var inTurns = map[string]bool{"start_same_id_pending": true}
