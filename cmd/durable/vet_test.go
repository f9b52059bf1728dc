package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestVet runs the analyzer, built from this repository, on the lab, where there
// is nothing to report, and on an orchestrator that reads the clock.
func TestVet(t *testing.T) {
	t.Chdir("../..")
	var out, problems strings.Builder
	if code := run(t.Context(), []string{"vet", "./Orchestrator", "./Hello"}, &out, &problems); code != 0 {
		t.Errorf("the lab: %d %s%s", code, out.String(), problems.String())
	}
	const clock = "package broken\n\nimport (\n\t\"time\"\n\n\t\"github.com/durable-go/functions/durable\"\n)\n\n" +
		"func flow(ctx *durable.Context) time.Time { return time.Now() }\n"
	dir, err := os.MkdirTemp("samples", "broken")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.WriteFile(filepath.Join(dir, "broken.go"), []byte(clock), 0o644); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	code := run(t.Context(), []string{"vet", "-json", "./" + filepath.ToSlash(dir)}, &out, &problems)
	if code != 0 || !strings.Contains(out.String(), `"category": "DUR001"`) {
		t.Errorf("as JSON: %d %s%s", code, out.String(), problems.String())
	}
	if code := run(t.Context(), []string{"vet", "./" + filepath.ToSlash(dir)}, &out, &problems); code != 1 {
		t.Errorf("it ended with %d", code)
	}
	if code := run(t.Context(), []string{"vet", "-h"}, &out, &problems); code != 0 || !strings.Contains(out.String(), "durable vet [-json]") {
		t.Errorf("help: %d %s", code, out.String())
	}
}
