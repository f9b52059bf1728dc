package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// marked are the rules that a comment at the end of a line says are broken there.
var marked = regexp.MustCompile(`// ((?:DUR\d{3} ?)+)$`)

// reported is a finding: file, line and rule.
var reported = regexp.MustCompile(`(?m)^(?:vet: )?(\S+\.go):(\d+):\d+: (DUR\d{3})`)

// TestUsersPrograms runs the tool over programs that users write: what is broken in some
// is found at each marked place, and nothing anywhere else.
func TestUsersPrograms(t *testing.T) {
	dir := module(t, "users")
	var want []string
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(filepath.Dir(file)) + "/" + filepath.Base(file)
		for i, line := range strings.Split(string(text), "\n") {
			if m := marked.FindStringSubmatch(line); m != nil {
				for _, rule := range strings.Fields(m[1]) {
					want = append(want, fmt.Sprintf("%s:%d %s", name, i+1, rule))
				}
			}
		}
	}
	_, problems, _ := run(t, dir, tool, "./...")
	var got []string
	for _, m := range reported.FindAllStringSubmatch(problems, -1) {
		got = append(got, fmt.Sprintf("%s:%s %s", filepath.ToSlash(m[1]), m[2], m[3]))
	}
	slices.Sort(want)
	slices.Sort(got)
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("not found: %s", w)
		}
	}
	for _, g := range got {
		if !slices.Contains(want, g) {
			t.Errorf("found where nothing is wrong: %s", g)
		}
	}
	if t.Failed() || len(want) < 40 {
		t.Errorf("%d places are marked\n%s", len(want), problems)
	}
}
