package simulation

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/durable-go/functions/internal/programs"
)

// Report is what came of a run.
type Report struct {
	// Err is what was wrong; nil: nothing.
	Err error
	// Trace tells what happened, a line for each call and incident.
	Trace string
}

// Check plays a run in a bubble of its own.
func Check(t *testing.T, r Run) (report Report) {
	t.Helper()
	before := slog.Default()
	slog.SetDefault(quiet)
	defer slog.SetDefault(before)
	seedRandom(t, r.Seed)
	synctest.Test(t, func(t *testing.T) {
		defer func() {
			if p := recover(); p != nil {
				report.Err = errors.Join(report.Err, fmt.Errorf("%v", p))
			}
		}()
		w, err := open(t, r)
		if err != nil {
			report.Err = err
			return
		}
		report.Err = w.play()
		w.close()
		report.Trace = w.trace.String()
	})
	return report
}

// Shrink looks for a smaller run that fails: with fewer faults, fewer processes, and a
// smaller program. It returns the smallest that it has found within so many tries.
func Shrink(t *testing.T, r Run, tries int) Run {
	t.Helper()
	fails := func(smaller Run) bool {
		if tries <= 0 {
			return false
		}
		tries--
		return Check(t, smaller).Err != nil
	}
	if smaller := r; r.Strict {
		if smaller.Strict = false; fails(smaller) {
			r = smaller
		}
	}
	for class := Losses; class < AllFaults; class <<= 1 {
		if smaller := r; r.Calm&class == 0 {
			if smaller.Calm |= class; fails(smaller) {
				r = smaller
			}
		}
	}
	for r.Incidents > 0 {
		smaller := r
		if smaller.Incidents--; !fails(smaller) {
			break
		}
		r = smaller
	}
	for r.Processes > 1 {
		smaller := r
		if smaller.Processes--; !fails(smaller) {
			break
		}
		r = smaller
	}
	r.Test = programs.Shrink(r.Test, tries, func(test programs.Test) bool {
		smaller := r
		smaller.Test = test
		return fails(smaller)
	})
	return r
}

func (r Run) String() string {
	return fmt.Sprintf("seed %d: %d processes, %d incidents, calm %09b, strict %v\n%s", r.Seed, r.Processes, r.Incidents, r.Calm, r.Strict, programs.Show(r.Test))
}
