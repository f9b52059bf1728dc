package internal_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// excerpt is code of a page that names the file it is from.
var excerpt = regexp.MustCompile("(?s)From \\[([a-z0-9/A-Z._-]+)\\][^\n]*\n\n```go\n(.*?)\n```")

// The code of these pages is part of samples and examples, which are compiled and
// tested: each excerpt stands in the file that it names.
func TestCodeOfPagesIsTested(t *testing.T) {
	for _, page := range []string{"concepts", "errors", "migrating", "patterns"} {
		raw, err := os.ReadFile("../docs/" + page + ".md")
		if err != nil {
			t.Fatal(err)
		}
		found := excerpt.FindAllStringSubmatch(string(raw), -1)
		if blocks := strings.Count(string(raw), "```go"); len(found) != blocks || blocks == 0 {
			t.Errorf("%s: %d of %d blocks of code name their file", page, len(found), blocks)
		}
		for _, m := range found {
			source, err := os.ReadFile(filepath.Join("..", m[1]))
			if err != nil {
				t.Error(err)
			} else if !strings.Contains(unindented(string(source)), unindented(m[2])) {
				t.Errorf("%s: this is not in %s:\n%s", page, m[1], m[2])
			}
		}
	}
}

// Every sample that is a pattern is named.
func TestPatternsAreSamples(t *testing.T) {
	raw, err := os.ReadFile("../docs/patterns.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	readmes, err := filepath.Glob("../samples/*/README.md")
	if err != nil || len(readmes) < 10 {
		t.Fatal(readmes, err)
	}
	for _, readme := range readmes {
		name := filepath.Base(filepath.Dir(readme))
		if name != "telemetry" && name != "hello" && !strings.Contains(page, "../samples/"+name+"/README.md") {
			t.Errorf("docs/patterns.md does not name the sample %s", name)
		}
	}
}

var indentation = regexp.MustCompile(`(?m)^\t+`)

// unindented is code without the indentation of its lines.
func unindented(code string) string { return indentation.ReplaceAllString(code, "") }
