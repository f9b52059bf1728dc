//go:build linux

package e2e

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
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
