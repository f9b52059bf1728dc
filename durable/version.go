package durable

import (
	"cmp"
	"strconv"
	"strings"
)

// compareVersions has the rules of the official engine.
func compareVersions(a, b string) int {
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	if a == "" || b == "" {
		return min(1, max(-1, len(a)-len(b)))
	}
	left, numeric := versionNumbers(a)
	right, alsoNumeric := versionNumbers(b)
	if numeric && alsoNumeric {
		for i := range left {
			if c := cmp.Compare(left[i], right[i]); c != 0 {
				return c
			}
		}
		return 0
	}
	return cmp.Compare(strings.ToUpper(a), strings.ToUpper(b))
}

// versionNumbers reads a .NET System.Version: two to four numbers. Numbers that
// are not there are lower than 0.
func versionNumbers(text string) (numbers [4]int, ok bool) {
	parts := strings.Split(text, ".")
	if len(parts) < 2 || len(parts) > 4 {
		return numbers, false
	}
	for i := range numbers {
		numbers[i] = -1
		if i < len(parts) {
			n, err := strconv.ParseInt(parts[i], 10, 32)
			if err != nil || n < 0 {
				return numbers, false
			}
			numbers[i] = int(n)
		}
	}
	return numbers, true
}
