//go:build linux

package e2e

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/programs"
)

var rewrite = flag.Bool("rewrite", false, "write generated files anew")

// differences reads docs/differences.json: scenarios that differ on purpose,
// and why.
func differences(t *testing.T) map[string]string {
	t.Helper()
	raw, err := os.ReadFile("../../docs/differences.json")
	if err != nil {
		t.Fatal(err)
	}
	listed := decode[map[string]string](t, raw)
	for name, reason := range listed {
		if reason == "" {
			t.Errorf("docs/differences.json gives no reason for %s", name)
		}
	}
	return listed
}

// short is JSON without what stands for the run, and with long texts cut.
func short(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(raw), "$run-0", "id")
	if text == "null" {
		return "[]"
	}
	return regexp.MustCompile(`(x{20})x+`).ReplaceAllString(text, "$1...")
}

// docs/differences.md is made from docs/differences.json, with -rewrite.
func TestDifferences(t *testing.T) {
	listed := differences(t)
	want := &bytes.Buffer{}
	want.WriteString(`# Differences from the official extension

A test plays recorded scenarios of the official Durable Functions extension against samples/conformance and compares the HTTP answers. This page, made from differences.json, lists the scenarios whose answers differ on purpose. All others that are played agree.

| scenario | what differs, and why |
|-|-|
`)
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		fmt.Fprintf(want, "| %s | %s |\n", name, listed[name])
	}
	want.WriteString(`
## Programs

Random programs are played on this engine and on the official one (go run ./internal/programs/play), and compared with a model of what they should give. These programs, for the interpreter of samples/conformance/program, show what differs on purpose; a test plays them.

| program | and its client | this engine | the official one |
|-|-|-|-|
`)
	for _, d := range programs.Differing() {
		fmt.Fprintf(want, "| `%s` | `%s` | %s | %s |\n", short(t, d.Instances[0].Steps), short(t, d.Script), d.Here, d.There)
	}
	const file = "../../docs/differences.md"
	if *rewrite {
		if err := os.WriteFile(file, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%s is not what differences.json says: go test ./internal/e2e -run TestDifferences -rewrite", file)
	}
}
