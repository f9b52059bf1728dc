package internal_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link      = regexp.MustCompile(`\]\(([^)#\s]+)?(#[^)\s]+)?\)`)
	namedFile = regexp.MustCompile("`((?:cmd|deploy|docs|durable|durabletest|handler|infra|internal|samples|\\.devcontainer|\\.github)/[A-Za-z0-9_./-]*)`")
	code      = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	heading   = regexp.MustCompile(`(?m)^#+ (.+)$`)
)

// pages are the texts for readers.
func pages(t *testing.T) (all []string) {
	t.Helper()
	for _, pattern := range []string{"../*.md", "../docs/*.md", "../docs/patterns/*.md", "../samples/*/README.md", "../.github/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	if len(all) < 10 {
		t.Fatalf("only %v", all)
	}
	return all
}

// Links between pages lead somewhere, to the heading as well, and files that a page
// names are there.
func TestPagesLinkToWhatExists(t *testing.T) {
	for _, page := range pages(t) {
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(string(raw), ""), -1) {
			target, anchor := m[1], m[2]
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			file := page
			if target != "" {
				file = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s links to %s, which is not there", page, target)
			} else if anchor != "" && !hasAnchor(t, file, anchor) {
				t.Errorf("%s links to %s%s: there is no such heading", page, target, anchor)
			}
		}
		for _, m := range namedFile.FindAllStringSubmatch(string(raw), -1) {
			if _, err := os.Stat(filepath.Join("..", m[1])); err != nil {
				t.Errorf("%s names %s, which is not there", page, m[1])
			}
		}
	}
}

// hasAnchor reports whether a page has the heading that GitHub gives this anchor.
func hasAnchor(t *testing.T, file, anchor string) bool {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range heading.FindAllStringSubmatch(string(raw), -1) {
		name := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		if "#"+strings.ReplaceAll(name, " ", "-") == anchor {
			return true
		}
	}
	return false
}
