package durable

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// versioning are the rules for the versions of orchestrations.
type versioning struct {
	// current is what new orchestrations are started with; "" turns the rules
	// off.
	current string
	// match is "none", "strict" or, by default, "currentorolder".
	match string
	// fail ends an instance whose version is not for this app; otherwise it
	// waits for an app that it is for.
	fail bool
}

// check reports whether an orchestration of a version may run here.
func (v versioning) check(name, version string) error {
	if v.current == "" {
		return nil
	}
	order := compareVersions(version, v.current)
	if v.match == "none" || order == 0 || order < 0 && v.match != "strict" {
		return nil
	}
	err := wrongVersion{fmt.Sprintf("orchestrator %q of version %q does not run here: defaultVersion is %q (versionMatchStrategy %s)",
		name, version, v.current, cmp.Or(v.match, "currentorolder"))}
	if v.fail {
		return err
	}
	return elsewhere{err}
}

// wrongVersion means that the version of an instance is not for this app;
// elsewhere that it waits for another app.
type (
	wrongVersion struct{ text string }
	elsewhere    struct{ wrongVersion }
)

func (e wrongVersion) Error() string { return e.text }
func (elsewhere) Elsewhere()         {}

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
