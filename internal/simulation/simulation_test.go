package simulation

import (
	"flag"
	"fmt"
	"testing"
)

var (
	first     = flag.Uint64("simulation.first", 1, "the first seed")
	count     = flag.Uint64("simulation.seeds", 600, "how many seeds are played")
	seed      = flag.Uint64("simulation.seed", 0, "the seed that TestSeed plays, with its trace")
	tries     = flag.Int("simulation.tries", 1, "how often TestSeed plays it, until it fails")
	showSeeds = flag.Bool("simulation.trace", false, "print each seed before it is played")
	most      = flag.Int("simulation.most", 3, "how many failures are enough")
	strict    = flag.Bool("simulation.strict", false, "play one run in forty on a strict account")
	shrink    = flag.Int("simulation.shrink", 100, "how many smaller runs are tried when one fails")
)

// Whatever goes wrong, a program gives what it should, once.
func TestSimulation(t *testing.T) {
	failed := 0
	for s := *first; s < *first+*count && failed < *most; s++ {
		if *showSeeds {
			fmt.Println("play", s)
		}
		r := made(s)
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

// made is the run of a seed, on a strict account only with the flag for that.
func made(seed uint64) Run {
	r := Make(seed)
	r.Strict = r.Strict && *strict
	return r
}

// So it is on an account that answers as the real service does, on a bad day.
func TestStrictAccount(t *testing.T) {
	for s := range uint64(56) { // four of each kind of program
		r := Make(s + 1)
		r.Strict = true
		if report := Check(t, r); report.Err != nil {
			t.Errorf("seed %d (%s): %v\n%s", s+1, r.Test.Kind, report.Err, report.Trace)
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
		if report = Check(t, made(*seed)); report.Err != nil {
			break
		}
	}
	t.Logf("%v\n%s", made(*seed), report.Trace)
	if report.Err != nil {
		t.Error(report.Err)
	}
}

// Runs that have found faults give what they should. Several goroutines may act at the
// same moment, so each is played a few times.
func TestSeedsThatFoundFaults(t *testing.T) {
	for _, c := range []struct {
		seed    uint64
		kind    string
		program uint64
	}{
		{175, "rewinds", 14},       // an action under a lease past its time was not begun, and its message removed
		{58, "timeouts", 4},        // a wake-up that came again was removed without a look at the history
		{255, "odd", 21},           // the same
		{3307, "rewinds", 275},     // what was told after a rewind was dropped by a process that had read before
		{2388, "calls", 199},       // a renewal of an older delivery ended the newer one
		{6742, "timeouts", 561},    // the row of a process behind took a newer custom status back
		{5177, "races", 431},       // an activity began under a redelivered message over an old history
		{7393, "large", 616},       // a lease that the host was about to give away went on
		{10195, "rewinds", 849},    // the result of a run before a rewind answered the call after it
		{4084, "orphans", 340},     // a lease was taken for as long as the host had hidden the message
		{6307, "rewinds", 525},     // a rewind of an instance that this process had in memory was not seen
		{17721, "strangers", 1476}, // a message that could not be given back was deleted by the host
		{100110, "reuse", 8342},    // the row took a resume back
		{108832, "orphans", 9069},  // an end was shown twice, the second time during a purge
		{14695, "rewinds", 1224},   // a rewound instance was shown as failed again
		{2996, "bank", 214},        // a wake-up past its time was forgotten, and renewed all the same
		{3710, "bank", 265},        // a wake-up past its time was forgotten, and renewed all the same
		{4424, "bank", 316},        // the row of an entity was taken back by a process behind
		{3250, "entities", 232},    // the same, without a commit of its own
		{7786, "entities", 556},    // the same
		{294, "bank", 21},          // what waited for a lock that another process had released waited on
	} {
		for range 10 {
			if report := Check(t, MakeOf(c.seed, c.kind, c.program)); report.Err != nil {
				t.Errorf("seed %d: %v\n%s", c.seed, report.Err, report.Trace)
				break
			}
		}
	}
}

// A seed does the same each time.
func TestSeedsRepeat(t *testing.T) {
	if !seedsRepeat {
		t.Skip("ids are random before Go 1.26")
	}
	same, all := 0, 100
	for s := range uint64(all) {
		once, again := Check(t, Make(s)), Check(t, Make(s))
		if once.Trace == again.Trace {
			same++
		}
	}
	if same < all*85/100 {
		t.Errorf("%d of %d seeds did the same twice", same, all)
	}
}
