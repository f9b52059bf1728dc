package internal_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

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
