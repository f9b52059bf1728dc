package supervise

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// child is the journal of a child in memory of its own.
type child struct {
	*Journal
	t      *testing.T
	shared region

	mu   sync.Mutex
	said []report
}

// newChild is told of suspects, as parse reads them, for a trial of the instance
// or, where that is empty, for everybody.
func newChild(t *testing.T, trial string, suspects ...string) *child {
	c := &child{t: t, shared: make(region, regionSize)}
	b := briefing{Trial: trial}
	for _, s := range suspects {
		b.Suspects = append(b.Suspects, Suspect{parse(s), 1})
	}
	c.Journal = newSharedJournal(c.shared, func(r report) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.said = append(c.said, r)
	}, b)
	return c
}

func (c *child) begin(code string) *Run {
	c.t.Helper()
	run, err := c.Begin(c.t.Context(), parse(code), 0)
	if err != nil {
		c.t.Fatalf("Begin(%s): %v", code, err)
	}
	return run
}

// begins is begin on a goroutine of its own.
func (c *child) begins(code string) <-chan *Run {
	began := make(chan *Run, 1)
	go func() { began <- c.begin(code) }()
	synctest.Wait()
	return began
}

// holds checks what the region has: "running act a 0", in any order.
func (c *child) holds(want ...string) {
	c.t.Helper()
	got := []string{}
	for _, r := range c.shared.records() {
		got = append(got, []string{"free", "running", "trial", "returned", "behind", "broke"}[r.state]+" "+show(r.code))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		c.t.Fatalf("the journal holds %q, want %q", got, want)
	}
}

// stored are the suspects that the supervisor was told to be none.
func (c *child) stored(want ...string) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	var got []string
	for _, r := range c.said {
		if r.Stored != nil {
			got = append(got, show(*r.Stored))
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		c.t.Fatalf("acquitted are %q, want %q", got, want)
	}
}

// allOpen is for commits that end no activity.
func allOpen(int64) bool { return true }

func TestJournalShowsWhatMayBeToBlame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChild(t, "")
		turn, act, get := c.begin("turn a 0"), c.begin("act a 0"), c.begin("request r")
		c.holds("running turn a 0", "running act a 0", "running request r")
		get.Return(false)
		turn.Return(false)
		act.Return(false)
		act.Return(true) // only the first counts
		c.holds("returned turn a 0", "returned act a 0")
		c.Committed("a", "x", 0, allOpen)
		c.holds("returned turn a 0", "returned act a 0")
		c.Committed("a", "x", 3, allOpen)
		c.holds("returned act a 0")
		c.Stored(parse("act a 0"))
		c.holds()
		c.stored() // nothing was suspect
	})
}

func TestCodeThatRunsOnceMoreIsOne(t *testing.T) {
	c := newChild(t, "")
	c.begin("turn a 0").Return(false)
	c.begin("turn a 0")
	c.holds("running turn a 0")
	c.begin("turn a 4").Return(false)
	c.holds("running turn a 0", "returned turn a 4")
	c.begin("turn a 9") // what begins after another was committed
	c.holds("running turn a 0", "running turn a 9")
}

// An operation of an entity that begins says nothing of those before it: they are stored
// together.
func TestOperationsOfAnEntity(t *testing.T) {
	c := newChild(t, "a", "entity a r2", "entity a r3", "entity a r4")
	c.begin("entity a r1").Return(false)
	c.holds("returned entity a r1")
	two := c.begin("entity a r2")
	c.holds("returned entity a r1", "running entity a r2")
	c.stored()
	two.Return(false)
	c.Stored(parse("entity a r1"))
	c.Stored(parse("entity a r2"))
	c.holds()
	c.stored("entity a r2")
	c.Waiting("a", func(request string) bool { return request == "r3" })
	c.Waiting("b", func(string) bool { return false })
	c.stored("entity a r2", "entity a r4") // another process has carried it out
	if c.Quarantined("a") || !c.quarantined("a") {
		t.Error("the entity is not on trial any more")
	}
	c.Waiting("a", func(string) bool { return false })
	c.stored("entity a r2", "entity a r3", "entity a r4")
}

func TestCodeWithoutOutcomeIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChild(t, "")
		c.begin("act a 0").Return(false)
		time.Sleep(lingering)
		c.begin("act b 0").Return(false)
		c.holds("returned act a 0", "returned act b 0")
		time.Sleep(time.Nanosecond)
		c.begin("act c 0")
		c.holds("returned act b 0", "running act c 0")
	})
}

func TestCodeThatClosesWhatTheProcessNeedsIsKnown(t *testing.T) {
	c := newChild(t, "")
	intact := true
	c.intact = func() bool { return intact }
	c.begin("act a 0").Return(false)
	act, turn := c.begin("act a 1"), c.begin("turn a 0")
	intact = false
	act.Return(false)
	turn.Return(false) // it cannot be known whether it did so too
	c.holds("returned act a 0", "broke act a 1", "returned turn a 0")
}

func TestCodeThatWasGivenUpStaysSuspect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChild(t, "")
		run := c.begin("turn a 2")
		run.Return(true)
		c.Committed("a", "x", 9, allOpen)
		time.Sleep(2 * lingering)
		c.begin("act b 0")
		c.holds("behind turn a 2", "running act b 0")
		run.Gone()
		c.holds("running act b 0")
	})
}

func TestSuspectsRunElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChild(t, "", "act a 0")
		if !c.Quarantined("a") || c.Quarantined("b") {
			t.Error("a is suspect and b is not")
		}
		if _, err := c.Begin(t.Context(), parse("turn a 7"), 0); !errors.Is(err, ErrElsewhere) {
			t.Errorf("a turn of a suspect instance: %v, want ErrElsewhere", err)
		}
		c.begin("turn b 0").Return(false)
		act := c.begins("act a 1")
		select {
		case <-act:
			t.Fatal("an activity of a suspect instance runs beside others")
		default:
		}
		c.brief(briefing{})
		(<-act).Return(false)
		if c.Quarantined("a") {
			t.Error("a is no suspect any more")
		}
	})
}

func TestTrialIsForOneInstance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChild(t, "a", "act a 0", "act b 0")
		if c.Quarantined("a") || !c.Quarantined("b") {
			t.Error("this process is for a alone")
		}
		for _, code := range []string{"turn b 0", "turn c 0", "entity c 0", "request r"} {
			if _, err := c.Begin(t.Context(), parse(code), 0); !errors.Is(err, ErrElsewhere) {
				t.Errorf("%s: %v, want ErrElsewhere", code, err)
			}
		}
	})
}

func TestTrialRunsOnePieceOfCodeAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChild(t, "a", "act a 0", "act a 1")
		turn := c.begin("turn a 0")
		other, one, two := c.begins("act a 7"), c.begins("act a 0"), c.begins("act a 1")
		c.holds("running turn a 0")
		turn.Return(false)
		synctest.Wait()
		var first, second *Run
		select { // suspects come before others
		case first = <-one:
			c.holds("returned turn a 0", "running act a 0")
			first.Return(false)
			second = <-two
		case first = <-two:
			c.holds("returned turn a 0", "running act a 1")
			first.Return(false)
			second = <-one
		}
		second.Return(false)
		third := <-other
		c.Stored(parse("act a 0"))
		c.Stored(parse("act a 1"))
		c.stored("act a 0", "act a 1")
		third.Return(false)
		// The trial is over: nothing more begins here.
		if _, err := c.Begin(t.Context(), parse("turn a 9"), 0); !errors.Is(err, ErrElsewhere) {
			t.Errorf("a turn after the trial: %v, want ErrElsewhere", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, err := c.Begin(ctx, parse("act a 8"), 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an activity after the trial: %v, want that it waits", err)
		}
	})
}

func TestOnlyACommitPastItAcquitsATurn(t *testing.T) {
	c := newChild(t, "a", "turn a 5")
	c.begin("turn a 0").Return(false) // the replay of what is before it
	c.Committed("a", "x", 5, allOpen)
	c.stored()
	c.begin("turn a 5").Return(false)
	c.stored()
	c.Committed("a", "x", 8, allOpen)
	c.stored("turn a 5")
}

func TestWhatWasCommittedElsewhereAcquitsATurn(t *testing.T) {
	c := newChild(t, "a", "turn a 5")
	_, _ = c.Begin(t.Context(), parse("turn a 8"), 0)
	c.stored("turn a 5")
	c = newChild(t, "a", "turn a 5")
	next := parse("turn a 0")
	next.Execution = "y" // it has continued as new
	_, _ = c.Begin(t.Context(), next, 0)
	c.stored("turn a 5")
}

func TestActivitiesThatAreNotOpenAreAboveSuspicion(t *testing.T) {
	c := newChild(t, "a", "act a 1", "act a 2")
	c.begin("act a 1").Return(false)
	c.begin("act a 2").Return(false)
	c.Committed("a", "x", 5, func(task int64) bool { return task == 2 })
	c.stored("act a 1")
	c.holds("returned act a 2")
}

func TestEndedInstancesAreAboveSuspicion(t *testing.T) {
	c := newChild(t, "a", "turn a 5", "act a 3", "act b 0")
	c.Ended("a")
	c.stored("act a 3", "turn a 5")
}

func TestRequestsAreTriedOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChild(t, "", "request r", "request s")
		r := c.begin("request r")
		s := c.begins("request s")
		c.begin("request innocent").Return(false) // runs beside a trial
		c.holds("trial request r")
		r.Return(false)
		c.stored("request r")
		started := time.Now()
		(<-s).Return(false)
		c.stored("request r", "request s")

		c = newChild(t, "", "request r", "request s")
		r = c.begin("request r") // does not return while the other waits
		c.begin("request s").Return(false)
		if waited := time.Since(started); waited != requestTrial {
			t.Errorf("the next suspect waited %v, want %v", waited, requestTrial)
		}
		c.holds("running request r")
		r.Return(false)
		c.holds()
	})
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChild(t, "", "request r", "request s")
		r := c.begin("request r")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := c.Begin(ctx, parse("request s"), 0)
		var blamed *BlamedError
		if !errors.Is(err, context.DeadlineExceeded) || errors.As(err, &blamed) {
			t.Errorf("Begin: %v, want the error of the context", err)
		}
		r.Return(false)
		c.begin("request s").Return(false)
	})
}

func TestBlamedCodeIsRefusedUntilSettled(t *testing.T) {
	c := newChild(t, "")
	long := Code{Kind: Activity, Instance: strings.Repeat("ö", 300), Execution: "x", Position: 1}
	c.brief(briefing{Blamed: []verdict{{parse("turn a 3"), "exit code 1: boom"}, {long.short(), "signal killed"}}})
	for code, reason := range map[Code]string{parse("turn a 3"): "exit code 1: boom", parse("turn a 5"): "exit code 1: boom", long: "signal killed"} {
		_, err := c.Begin(t.Context(), code, 0)
		var blamed *BlamedError
		if !errors.As(err, &blamed) || blamed.Code != code.short() || blamed.BlameReason() != reason {
			t.Errorf("Begin(%.40s): %v, want a BlamedError with reason %q", code, err, reason)
		}
	}
	c.begin("turn a 2").Return(false)
	c.Settle(parse("turn a 2"))
	c.Settle(parse("turn a 4"))
	c.Settle(parse("turn a 4"))
	if len(c.said) != 1 || c.said[0].Settled == nil || show(*c.said[0].Settled) != "turn a 3" {
		t.Errorf("reports are %+v, want that turn a 3 is settled", c.said)
	}
	c.begin("turn a 3").Return(false)
}

func TestFullJournalLetsCodeRun(t *testing.T) {
	c := newChild(t, "")
	var runs []*Run
	for i := range slotCount + 5 {
		runs = append(runs, c.begin(fmt.Sprint("request ", i)))
	}
	if got := len(c.shared.records()); got != slotCount {
		t.Errorf("%d records, want %d", got, slotCount)
	}
	for _, run := range runs {
		run.Return(false)
	}
	c.holds()
	c.begin("request later")
	c.holds("running request later")
}

func TestNamesFitIntoTheJournal(t *testing.T) {
	seen := map[Code]bool{}
	for _, n := range []int{maxID - 2, maxID, maxID + 2, 1000} {
		for _, last := range []string{"a", "b"} {
			long := strings.Repeat("ö", n/2) + last
			code := Code{Kind: Activity, Instance: long, Execution: long, Position: -1 << 63}.short()
			if seen[code] {
				t.Errorf("two codes of %d bytes have one name", n)
			}
			seen[code] = true
			if size := len(code.text()); size > nameSize {
				t.Errorf("the name of a code has %d bytes, at most %d fit", size, nameSize)
			}
			if got := parseCode(code.text()); got != code {
				t.Errorf("a code is read as %v, was %v", got, code)
			}
		}
	}
}

func TestCodeKeepsItsNameOnTheWay(t *testing.T) {
	for _, code := range []Code{parse("turn a 3"), parse("request \xffr"), {}} {
		raw, err := code.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var got Code
		if err := got.UnmarshalJSON(raw); err != nil || got != code {
			t.Errorf("%+v arrives as %+v, %v", code, got, err)
		}
	}
}

func TestJournalIsSafeForConcurrentUse(t *testing.T) {
	c := newChild(t, "", "request 1", "request 2", "request 3")
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 200 {
				leave, err := c.Enter(t.Context(), fmt.Sprint((worker+i)%10), 0)
				if err != nil {
					t.Error(err)
					return
				}
				leave()
				act := c.begin(fmt.Sprintf("act i%d %d", worker, i))
				act.Return(false)
				c.Stored(parse(fmt.Sprintf("act i%d %d", worker, i)))
			}
		})
	}
	group.Wait()
	c.holds()
}

func BenchmarkBegin(b *testing.B) {
	j := newSharedJournal(make(region, regionSize), func(report) {}, briefing{})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		code := Code{Kind: Activity, Instance: "0123456789abcdef0123456789abcdef", Execution: "0123456789abcdef", Position: 7}
		for pb.Next() {
			run, err := j.Begin(b.Context(), code, 1)
			if err != nil {
				b.Fatal(err)
			}
			run.Return(false)
			j.Stored(code)
		}
	})
}
