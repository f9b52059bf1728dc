package simulation

import (
	"flag"
	"testing"
)

var (
	first  = flag.Uint64("simulation.first", 1, "the first seed")
	count  = flag.Uint64("simulation.seeds", 600, "how many seeds are played")
	seed   = flag.Uint64("simulation.seed", 0, "the seed that TestSeed plays, with its trace")
	tries  = flag.Int("simulation.tries", 1, "how often TestSeed plays it, until it fails")
	shrink = flag.Int("simulation.shrink", 100, "how many smaller runs are tried when one fails")
)

// Whatever goes wrong, a program gives what it should, once.
func TestSimulation(t *testing.T) {
	failed := 0
	for s := *first; s < *first+*count && failed < 3; s++ {
		r := Make(s)
		report := Check(t, r)
		if report.Err == nil {
			continue
		}
		failed++
		t.Errorf("seed %d (%s): %v", s, r.Test.Kind, report.Err)
		if small := Shrink(t, r, *shrink); *shrink > 0 {
			report = Check(t, small)
			t.Errorf("the smallest is %v\n%v\n%s", small, report.Err, report.Trace)
		}
	}
}

// TestSeed plays one seed and shows what happens.
func TestSeed(t *testing.T) {
	if *seed == 0 {
		*seed = 1
	}
	var report Report
	for range *tries {
		if report = Check(t, Make(*seed)); report.Err != nil {
			break
		}
	}
	t.Logf("%v\n%s", Make(*seed), report.Trace)
	if report.Err != nil {
		t.Error(report.Err)
	}
}

// A seed does the same each time.
func TestSeedsRepeat(t *testing.T) {
	same, all := 0, 40
	for s := range uint64(all) {
		if Check(t, Make(s)).Trace == Check(t, Make(s)).Trace {
			same++
		}
	}
	if same < all*9/10 {
		t.Errorf("%d of %d seeds did the same twice", same, all)
	}
}
