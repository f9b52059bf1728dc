package azure

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var nameRange = regexp.MustCompile(`(?s)Name ge '((?:[^']|'')*)' and Name le '((?:[^']|'')*)'`)

// passes reports whether the service lets a name through.
func passes(filter, name string) bool {
	if filter == "" {
		return true
	}
	for _, bounds := range nameRange.FindAllStringSubmatch(filter, -1) {
		least, most := strings.ReplaceAll(bounds[1], "''", "'"), strings.ReplaceAll(bounds[2], "''", "'")
		if least <= name && name <= most {
			return true
		}
	}
	return false
}

// TestNameFilterLetsEachSpellingPass: whatever equals the name without case passes.
func TestNameFilterLetsEachSpellingPass(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringOf(rapid.OneOf(rapid.RuneFrom([]rune("aAkKsSzZſKöÖß'_-9ǅ")), rapid.Rune())).Draw(t, "name")
		var other strings.Builder
		for _, r := range name {
			other.WriteRune(rapid.SampledFrom(spellings(r)).Draw(t, "spelling"))
		}
		if !strings.EqualFold(name, other.String()) {
			t.Skip("not the same name")
		}
		if filter := nameFilter(name); !passes(filter, other.String()) {
			t.Fatalf("%q does not pass %s", other.String(), filter)
		}
	})
}

func TestNameFilterKeepsOthersBack(t *testing.T) {
	for _, c := range []struct {
		name, other string
		passes      bool
	}{{"Report", "Shipment", false}, {"report", "ProcessOrder", false}, {"Report", "rePORT", true}, {"O'Neil", "o'neil", true}, {"9", "8", false}, {"", "all", true}, {"😀", "all", true}} {
		if got := passes(nameFilter(c.name), c.other); got != c.passes {
			t.Errorf("%q asked for, %q: passes %v", c.name, c.other, got)
		}
	}
}
