package internal_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// sections are the headings of each page about a pattern, in their order.
var sections = []string{"When to use it", "The code", "What a crash leaves", "What goes wrong", "The whole app"}

// patternOf is the pattern whose sample has another name.
var patternOf = map[string]string{"entity": "aggregator"}

var (
	section    = regexp.MustCompile(`(?m)^## (.+)$`)
	sampleLink = regexp.MustCompile(`\]\(\.\./\.\./samples/([a-z-]+)/README\.md\)`)
)

// Each sample that is a pattern has a page, which says all that such a page says and
// names the sample, its code, its tests and one that crashes; and the index has each
// page once.
func TestEachPatternHasAPage(t *testing.T) {
	index := read(t, "../docs/patterns.md")
	readmes, err := filepath.Glob("../samples/*/README.md")
	if err != nil || len(readmes) < 10 {
		t.Fatal(readmes, err)
	}
	known := map[string]bool{}
	for _, readme := range readmes {
		sample := filepath.Base(filepath.Dir(readme))
		if sample == "telemetry" || sample == "hello" {
			continue
		}
		name := sample
		if other := patternOf[sample]; other != "" {
			name = other
		}
		known[name] = true
		if n := strings.Count(index, "](patterns/"+name+".md)"); n != 1 {
			t.Errorf("docs/patterns.md names the pattern %s %d times", name, n)
		}
		checkPattern(t, sample, name)
	}
	all, err := filepath.Glob("../docs/patterns/*.md")
	if err != nil || len(all) != len(known) {
		t.Errorf("%d pages for %d samples: %v", len(all), len(known), err)
	}
}

// checkPattern checks the page of a pattern.
func checkPattern(t *testing.T, sample, name string) {
	t.Helper()
	page := read(t, "../docs/patterns/"+name+".md")
	var headings []string
	for _, m := range section.FindAllStringSubmatch(page, -1) {
		headings = append(headings, m[1])
	}
	if !slices.Equal(headings, sections) {
		t.Errorf("%s has the sections %q, want %q", name, headings, sections)
	}
	if m := sampleLink.FindStringSubmatch(page); m == nil || m[1] != sample {
		t.Errorf("%s does not link to the sample %s", name, sample)
	}
	if !strings.Contains(page, "From [samples/"+sample+"/") || !strings.Contains(page, "_test.go`") {
		t.Errorf("%s has no code of the sample %s, or does not name its tests", name, sample)
	}
	_, crash, _ := strings.Cut(page, "## What a crash leaves")
	crash, _, _ = strings.Cut(crash, "\n## ")
	tests := namedTest.FindAllStringSubmatch(crash, -1)
	if len(tests) == 0 {
		t.Errorf("%s names no test that crashes", name)
	}
	for _, m := range tests {
		if !sampleTests(t, sample, m[1]) {
			t.Errorf("%s names %s, which is no test of the sample %s with crashes", name, m[1], sample)
		}
	}
}

// sampleTests reports whether a sample has this test, with [durabletest.EveryCrash].
func sampleTests(t *testing.T, sample, test string) bool {
	t.Helper()
	files, err := filepath.Glob("../samples/" + sample + "/*/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		_, code, ok := strings.Cut(read(t, file), "func "+test+"(t *testing.T)")
		code, _, _ = strings.Cut(code, "\n}\n")
		return ok && strings.Contains(code, "EveryCrash(")
	})
}

func read(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
