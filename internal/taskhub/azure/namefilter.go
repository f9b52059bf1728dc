package azure

import (
	"strings"
	"unicode"
)

// maxComparisons is how many comparisons a filter has at most
// (learn.microsoft.com/rest/api/storageservices/querying-tables-and-entities).
const maxComparisons = 15

// nameFilter lets rows pass whose name may be the one that is asked for, in any case:
// the service compares names as they are written. It keeps back most others: all that
// begin otherwise, and most of those that sort before or after each spelling.
func nameFilter(name string) string {
	var ranges []string
	first, rest, low, high := rune(0), false, "", ""
	for _, r := range name {
		if r > 0xFFFF || r == unicode.ReplacementChar {
			return "" // the service compares UTF-16 units
		}
		if !rest {
			first, rest = r, true
			continue
		}
		least, most := r, r
		for _, other := range spellings(r) {
			least, most = min(least, other), max(most, other)
		}
		low, high = low+string(least), high+string(most)
	}
	if !rest {
		return ""
	}
	for _, r := range spellings(first) {
		ranges = append(ranges, "Name ge '"+quote(string(r)+low)+"' and Name le '"+quote(string(r)+high)+"'")
	}
	return "(" + strings.Join(ranges, " or ") + ")"
}

// spellings are a rune in all cases.
func spellings(r rune) []rune {
	out := []rune{r}
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		out = append(out, other)
	}
	return out
}

// comparisons is how many comparisons the terms of a filter have, or more where a
// value looks like some.
func comparisons(terms []string) (n int) {
	for _, term := range terms {
		for _, operator := range []string{" eq ", " ge ", " gt ", " le ", " lt "} {
			n += strings.Count(term, operator)
		}
	}
	return n
}
