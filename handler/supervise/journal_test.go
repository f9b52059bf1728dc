package supervise

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// told is the journal of a child in memory of its own.
func told(b briefing) (*Journal, region) {
	shared := make(region, regionSize)
	return newSharedJournal(shared, b), shared
}

func suspected(keys ...string) (b briefing) {
	for _, key := range keys {
		b.Suspects = append(b.Suspects, []byte(slotName(key)))
	}
	return b
}

func enter(t *testing.T, j *Journal, key string, dequeued int) func() {
	t.Helper()
	leave, err := j.Enter(t.Context(), key, dequeued)
	if err != nil {
		t.Fatalf("Enter(%q, %d): %v", key, dequeued, err)
	}
	return leave
}

// found lists records as "state name".
func found(r region) string {
	var out []string
	for _, rec := range r.records() {
		out = append(out, []string{"free", "running", "trial", "cleared", "settled"}[rec.state]+" "+rec.name)
	}
	return strings.Join(out, ", ")
}

func TestJournalShowsWhatRuns(t *testing.T) {
	j, shared := told(briefing{})
	leaveA := enter(t, j, "a", 0)
	leaveB := enter(t, j, "b", 9)
	if got, want := found(shared), "running a, running b"; got != want {
		t.Fatalf("records are %q, want %q", got, want)
	}
	leaveA()
	leaveA() // must not free the slot of somebody else
	leaveC := enter(t, j, "c", 0)
	leaveA()
	if got, want := found(shared), "running c, running b"; got != want {
		t.Fatalf("records are %q, want %q", got, want)
	}
	leaveB()
	leaveC()
	if got := found(shared); got != "" {
		t.Fatalf("records are %q after everything has left", got)
	}
}

func TestSuspectsAreTriedOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, shared := told(suspected("a", "b"))
		leaveA := enter(t, j, "a", 0)
		entered := make(chan func())
		go func() { entered <- enter(t, j, "b", 0) }()
		synctest.Wait()
		enter(t, j, "innocent", 0)() // runs beside a trial
		if got, want := found(shared), "trial a"; got != want {
			t.Fatalf("records are %q, want %q", got, want)
		}
		leaveA()
		leaveB := <-entered
		if got, want := found(shared), "trial b, cleared a"; !sameRecords(got, want) {
			t.Fatalf("records are %q, want %q", got, want)
		}
		leaveB()
		again := enter(t, j, "a", 0)
		if got, want := found(shared), "running a, cleared a, cleared b"; !sameRecords(got, want) {
			t.Fatalf("records are %q, want %q", got, want)
		}
		again()
	})
}

func sameRecords(got, want string) bool {
	a, b := strings.Split(got, ", "), strings.Split(want, ", ")
	count := map[string]int{}
	for _, x := range a {
		count[x]++
	}
	for _, x := range b {
		count[x]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

func TestTrialEndsAfterItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, shared := told(suspected("slow", "next"))
		start := time.Now()
		leaveSlow := enter(t, j, "slow", 0) // never leaves while the next waits
		leaveNext := enter(t, j, "next", 0)
		if waited := time.Since(start); waited != trialLimit {
			t.Errorf("the next suspect waited %v, want %v", waited, trialLimit)
		}
		if got, want := found(shared), "running slow, trial next, cleared slow"; !sameRecords(got, want) {
			t.Errorf("records are %q, want %q", got, want)
		}
		leaveSlow()
		leaveNext()
		if got, want := found(shared), "cleared slow, cleared next"; !sameRecords(got, want) {
			t.Errorf("records are %q, want %q", got, want)
		}
	})
}

func TestWaitingForATrialEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, _ := told(suspected("a", "b"))
		leave := enter(t, j, "a", 0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := j.Enter(ctx, "b", 0)
		var blamed *BlamedError
		if !errors.Is(err, context.DeadlineExceeded) || errors.As(err, &blamed) {
			t.Errorf("Enter: %v, want the error of the context", err)
		}
		leave()
		enter(t, j, "b", 0)() // still to be tried, and the bench is free
	})
}

func TestSuspectThatRunsTwiceIsTriedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, shared := told(suspected("a"))
		first := enter(t, j, "a", 0)
		entered := make(chan func())
		go func() { entered <- enter(t, j, "a", 0) }()
		synctest.Wait()
		first()
		second := <-entered
		if got, want := found(shared), "running a, cleared a"; !sameRecords(got, want) {
			t.Errorf("records are %q, want %q", got, want)
		}
		second()
	})
}

func TestBlamedCodeIsRefusedUntilSettled(t *testing.T) {
	long := "activity:" + strings.Repeat("x", 300)
	j, shared := told(briefing{Blamed: []blamedCode{
		{Name: []byte("bad"), Reason: "exit code 1: boom"},
		{Name: []byte(slotName(long)), Reason: "signal killed"},
	}})
	for key, reason := range map[string]string{"bad": "exit code 1: boom", long: "signal killed"} {
		_, err := j.Enter(t.Context(), key, 0)
		var blamed *BlamedError
		if !errors.As(err, &blamed) || blamed.Key != key || blamed.BlameReason() != reason {
			t.Errorf("Enter(%.20q): %v, want a BlamedError with reason %q", key, err, reason)
		}
	}
	j.Settle("bad")
	j.Settle("bad")
	j.Settle("unknown")
	if got, want := found(shared), "settled bad"; got != want {
		t.Errorf("records are %q, want %q", got, want)
	}
	enter(t, j, "bad", 0)()
}

func TestDeliveriesDecideWithoutASupervisor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := NewJournal()
		enter(t, j, "twice", 2)()
		leave := enter(t, j, "a", 3)
		start := time.Now()
		go func() {
			time.Sleep(time.Second)
			leave()
		}()
		enter(t, j, "other", 2)()
		if time.Since(start) != 0 {
			t.Error("code with two deliveries waited for a trial")
		}
		enter(t, j, "b", 3)()
		if waited := time.Since(start); waited != time.Second {
			t.Errorf("the second suspect waited %v, want 1s", waited)
		}
		var blamed *BlamedError
		if _, err := j.Enter(t.Context(), "a", 10); !errors.As(err, &blamed) || !strings.Contains(blamed.Reason, "10 times") {
			t.Errorf("Enter with ten deliveries: %v, want a BlamedError that names them", err)
		}
	})
}

func TestDeliveriesMakeNoSuspectsUnderASupervisor(t *testing.T) {
	j, shared := told(briefing{})
	leave := enter(t, j, "a", 9)
	if got, want := found(shared), "running a"; got != want {
		t.Errorf("records are %q, want %q", got, want)
	}
	leave()
	var blamed *BlamedError
	if _, err := j.Enter(t.Context(), "a", 10); !errors.As(err, &blamed) {
		t.Errorf("Enter with ten deliveries: %v, want a BlamedError", err)
	}
}

func TestFullJournalLetsCodeRun(t *testing.T) {
	j, shared := told(briefing{})
	var leave []func()
	for i := range slotCount + 5 {
		leave = append(leave, enter(t, j, fmt.Sprint("key", i), 0))
	}
	if got := len(shared.records()); got != slotCount {
		t.Errorf("%d records, want %d", got, slotCount)
	}
	for _, f := range leave {
		f()
	}
	if got := found(shared); got != "" {
		t.Errorf("records are %q after everything has left", got)
	}
	enter(t, j, "later", 0)
	if got, want := found(shared), "running later"; got != want {
		t.Errorf("records are %q, want %q", got, want)
	}
}

func TestSlotNamesOfLongKeysDiffer(t *testing.T) {
	seen := map[string]string{}
	for _, n := range []int{nameSize - 1, nameSize, nameSize + 1, 300} {
		for _, last := range []string{"a", "b"} {
			key := strings.Repeat("k", n-1) + last
			name := slotName(key)
			if len(name) > nameSize {
				t.Errorf("name of a key of %d bytes has %d", n, len(name))
			}
			if other, taken := seen[name]; taken {
				t.Errorf("keys of %d and %d bytes have one name", len(other), n)
			}
			seen[name] = key
		}
	}
}

func TestJournalIsSafeForConcurrentUse(t *testing.T) {
	j, shared := told(suspected("key1", "key2", "key3"))
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 200 {
				leave, err := j.Enter(t.Context(), fmt.Sprint("key", (worker+i)%10), 0)
				if err != nil {
					t.Error(err)
					return
				}
				leave()
			}
		})
	}
	group.Wait()
	for _, r := range shared.records() {
		if r.state != cleared {
			t.Errorf("%v is left", r)
		}
	}
}

func BenchmarkEnter(b *testing.B) {
	j := newSharedJournal(make(region, regionSize), briefing{})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			leave, err := j.Enter(b.Context(), "activity:0123456789abcdef0123456789abcdef:0123456789abcdef:7", 1)
			if err != nil {
				b.Fatal(err)
			}
			leave()
		}
	})
}
