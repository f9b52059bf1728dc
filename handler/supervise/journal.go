package supervise

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"time"
)

const (
	// trialLimit is how long a suspect is on trial at most: user code may wait
	// for hours, and the other suspects wait for it.
	trialLimit = 10 * time.Second
	// suspectDeliveries and blamedDeliveries are for work whose message came so
	// often: nobody finished it.
	suspectDeliveries = 3
	blamedDeliveries  = 10
)

// BlamedError says that user code must not run because it ended the process
// before.
type BlamedError struct {
	Key string
	// Reason is how the process ended: exit code or signal, and the last line
	// that it wrote to stderr.
	Reason string
}

func (e *BlamedError) Error() string {
	return fmt.Sprintf("%s ended the process: %s", e.Key, e.Reason)
}

// BlameReason is how the process ended.
func (e *BlamedError) BlameReason() string { return e.Reason }

// Journal knows what user code runs in this process, and which of it is
// suspected or known to end the process. It is safe for concurrent use.
type Journal struct {
	// bench has room for the one suspect that is on trial.
	bench chan struct{}
	// counting makes suspects of what was delivered often; it is set where no
	// supervisor knows better.
	counting bool
	shared   region // nil without a supervisor

	mu       sync.Mutex
	unused   []uint32          // slots; guarded by mu
	suspects map[string]bool   // guarded by mu
	blamed   map[string]string // name to reason; guarded by mu
}

// NewJournal returns the journal of a process without a supervisor. It goes by
// delivery counts: from the third delivery on work is suspect, at the tenth it
// is blamed.
func NewJournal() *Journal {
	return &Journal{bench: make(chan struct{}, 1), counting: true, suspects: map[string]bool{}, blamed: map[string]string{}}
}

// newSharedJournal returns the journal of a child, which its supervisor reads.
func newSharedJournal(shared region, b briefing) *Journal {
	j := NewJournal()
	j.counting = false
	j.shared = shared
	j.unused = make([]uint32, slotCount)
	for i := range j.unused {
		j.unused[i] = uint32(slotCount - i) // low slots first: few pages are touched
	}
	for _, name := range b.Suspects {
		j.suspects[string(name)] = true
	}
	for _, v := range b.Blamed {
		j.blamed[string(v.Name)] = v.Reason
	}
	return j
}

func (j *Journal) ready() {
	if j.shared != nil {
		j.shared.markReady()
	}
}

// Enter is to be called before user code named by key runs, and leave when it
// has ended (more than once does no harm). The same code has the same key after
// a crash. dequeued is how often the message behind it was delivered, 0 where
// there is none.
//
// Enter returns at once, but for code that ran when the process died before:
// that waits until no other such code is on trial. A trial ends with leave, or
// after ten seconds; the code is above suspicion then. The error is a
// *[BlamedError] when the code must not run at all, or that of ctx.
func (j *Journal) Enter(ctx context.Context, key string, dequeued int) (leave func(), err error) {
	name := slotName(key)
	j.mu.Lock()
	if err := j.verdict(key, name, dequeued); err != nil {
		j.mu.Unlock()
		return nil, err
	}
	if j.suspicious(name, dequeued) {
		j.mu.Unlock()
		return j.try(ctx, key, name, dequeued)
	}
	slot := j.take(running, name)
	j.mu.Unlock()
	return func() { j.release(&slot) }, nil
}

// verdict is called with mu held.
func (j *Journal) verdict(key, name string, dequeued int) error {
	if reason, guilty := j.blamed[name]; guilty {
		return &BlamedError{Key: key, Reason: reason}
	}
	if dequeued >= blamedDeliveries {
		return &BlamedError{Key: key, Reason: fmt.Sprintf("its message was delivered %d times and nobody finished it", dequeued)}
	}
	return nil
}

// suspicious is called with mu held.
func (j *Journal) suspicious(name string, dequeued int) bool {
	return j.suspects[name] || j.counting && dequeued >= suspectDeliveries
}

// try waits for the bench and puts the code on trial.
func (j *Journal) try(ctx context.Context, key, name string, dequeued int) (leave func(), err error) {
	select {
	case j.bench <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for the trial of %s: %w", key, ctx.Err())
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.suspicious(name, dequeued) { // cleared meanwhile, by another run of it
		<-j.bench
		slot := j.take(running, name)
		return func() { j.release(&slot) }, nil
	}
	slot := j.take(trial, name)
	acquit := sync.OnceFunc(func() { j.acquit(name, &slot) })
	limit := time.AfterFunc(trialLimit, acquit)
	return func() {
		limit.Stop()
		acquit()
		j.release(&slot)
	}, nil
}

// acquit ends the trial of code that may still run.
func (j *Journal) acquit(name string, slot *uint32) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.suspects[name] {
		delete(j.suspects, name)
		j.take(cleared, name)
	}
	if *slot != 0 {
		j.shared.set(*slot, running)
	}
	<-j.bench
}

// Settle says that the failure of blamed code is stored: the code may be
// forgotten. Unknown keys are ignored.
func (j *Journal) Settle(key string) {
	name := slotName(key)
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, known := j.blamed[name]; known {
		delete(j.blamed, name)
		j.take(settled, name)
	}
}

// take fills a slot, with mu held. It returns 0 when there is none left: what
// has no slot is not suspected when the process dies.
func (j *Journal) take(s state, name string) (slot uint32) {
	if len(j.unused) == 0 {
		return 0
	}
	last := len(j.unused) - 1
	slot = j.unused[last]
	j.unused = j.unused[:last]
	j.shared.put(slot, s, name)
	return slot
}

// release empties a slot once.
func (j *Journal) release(slot *uint32) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if *slot == 0 {
		return
	}
	j.shared.set(*slot, free)
	j.unused = append(j.unused, *slot)
	*slot = 0
}

// slotName is the key as it fits into a slot: long keys end in their hash.
func slotName(key string) string {
	if len(key) <= nameSize {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	digest := hex.EncodeToString(sum[:16])
	return key[:nameSize-1-len(digest)] + "~" + digest
}
