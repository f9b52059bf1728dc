package internal_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

var limit = regexp.MustCompile("`([a-zA-Z.]+)` \\(([0-9:]+)\\)")

// A limit that is a setting has the same default in docs/limits.md as in
// docs/settings.md.
func TestLimitsAreThoseOfSettings(t *testing.T) {
	limits, err := os.ReadFile("../docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	settings, err := os.ReadFile("../docs/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	found := limit.FindAllStringSubmatch(string(limits), -1)
	if len(found) < 8 {
		t.Fatalf("found only %q", found)
	}
	for _, m := range found {
		_, row, ok := strings.Cut(string(settings), "\n| `"+m[1]+"` | ")
		if value := strings.Trim(row[:min(len(row), len(m[2])+1)], "`"); !ok || !strings.HasPrefix(value, m[2]) {
			t.Errorf("docs/limits.md says that %s is %s by default; docs/settings.md begins its row with %q", m[1], m[2], value)
		}
	}
}
