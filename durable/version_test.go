package durable

import (
	"errors"
	"testing"

	"github.com/durable-go/functions/internal/journal"
)

func TestCompareVersions(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "1.0", -1}, {"1.0", "", 1},
		{"1.0", "1.0", 0}, {"1.9", "1.10", -1}, {"2.0", "1.10", 1}, {"1.0", "1.0.0", -1},
		{"v2", "V2", 0}, {"a", "b", -1}, {"2", "10", 1}, {"1.0.0.0.0", "1.0", 1},
	} {
		if got := compareVersions(c.a, c.b); got != c.want {
			t.Errorf("%q to %q: got %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestVersionStrategies(t *testing.T) {
	for _, c := range []struct {
		rules   versioning
		version string
		runs    bool
	}{
		{versioning{}, "9.0", true},
		{versioning{current: "2.0"}, "2.0", true},
		{versioning{current: "2.0"}, "1.0", true},
		{versioning{current: "2.0"}, "", true},
		{versioning{current: "2.0"}, "3.0", false},
		{versioning{current: "2.0", match: "strict"}, "1.0", false},
		{versioning{current: "2.0", match: "strict"}, "2.0", true},
		{versioning{current: "2.0", match: "none"}, "3.0", true},
	} {
		err := c.rules.check("O", c.version)
		if (err == nil) != c.runs {
			t.Errorf("%+v, version %q: %v", c.rules, c.version, err)
		}
		if waits := journal.Elsewhere(nil); err != nil && !errors.As(err, &waits) {
			t.Errorf("%+v rejects for good", c.rules)
		}
	}
	if _, waits := (versioning{current: "2.0", fail: true}).check("O", "3.0").(journal.Elsewhere); waits {
		t.Error("the strategy fail waits")
	}
}
