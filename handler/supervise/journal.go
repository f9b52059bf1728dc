package supervise

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// requestTrial is how long a suspect request is on trial at most: other ones
	// wait for it.
	requestTrial = 10 * time.Second
	// lingering is how long code that has returned is remembered when what it did
	// is never stored: a result that nobody waits for.
	lingering = 5 * time.Second
	// Deliveries count where there is no supervisor.
	suspectDeliveries = 3
	blamedDeliveries  = 30
)

// ErrElsewhere means that code must not run in this process: it is suspect, and
// runs alone in another one, or this one is for another instance. What it was to
// work on is to be given back after a moment.
var ErrElsewhere error = elsewhere{}

type elsewhere struct{}

func (elsewhere) Error() string {
	return "the code is suspected to have ended the process, and is left to the process that tries it"
}

// Elsewhere marks the error for those who do not know this package.
func (elsewhere) Elsewhere() {}

// BlamedError means that user code must not run because it ended the process
// before.
type BlamedError struct {
	// Code names the code.
	Code Code
	// Reason is how the process ended: exit code or signal, and the last lines
	// that the code wrote.
	Reason string
}

func (e *BlamedError) Error() string {
	return fmt.Sprintf("%s ended the process: %s", e.Code, e.Reason)
}

// BlameReason is how the process ended.
func (e *BlamedError) BlameReason() string { return e.Reason }

// Journal knows what user code runs in this process, and which of it is
// suspected or known to end the process. It is safe for concurrent use.
//
// Code of an instance is told to [Journal.Begin] before it runs, to [Run.Return]
// when it has, and to [Journal.Committed] or [Journal.Stored] when its outcome is
// durable. Until then it is suspect if the process dies.
type Journal struct {
	shared region // nil without a supervisor
	tell   func(report)
	// intact reports whether the process still has the descriptors that it was
	// handed.
	intact func() bool
	// trial is the instance that this process is for; empty: all but suspects.
	trial string

	mu      sync.Mutex    // guards the rest
	changed chan struct{} // closed and replaced when somebody may go on
	unused  []uint32      // slots
	// suspects are those that the supervisor named, less those that were acquitted
	// here.
	suspects map[Code]int // the deaths at which they ran
	// quarantine counts the suspects of each instance.
	quarantine map[string]int
	blamed     map[Code]string
	// pending is code that has returned and is not stored; instances has it by
	// instance, aging in the order of its return.
	pending   map[Code]*Run
	instances map[string][]*Run
	aging     []*Run
	// broken means that it has not, and that it is known who was first to return then.
	broken bool
	// bench is the code that is alone; waiting counts the suspects that wait for
	// it.
	bench   *Run
	waiting int
	// takeover are messages that were handed to this process and not asked for.
	takeover []Message
}

// NewJournal returns the journal of a process without a supervisor. It goes by
// delivery counts, see [Journal.Begin].
func NewJournal() *Journal {
	return &Journal{
		tell: func(report) {}, intact: func() bool { return true }, changed: make(chan struct{}),
		suspects: map[Code]int{}, quarantine: map[string]int{}, blamed: map[Code]string{}, pending: map[Code]*Run{}, instances: map[string][]*Run{},
	}
}

// newSharedJournal returns the journal of a child, which its supervisor reads.
func newSharedJournal(shared region, tell func(report), b briefing) *Journal {
	j := NewJournal()
	j.shared, j.tell, j.trial = shared, tell, b.Trial
	j.unused = make([]uint32, slotCount)
	for i := range j.unused {
		j.unused[i] = uint32(slotCount - i) // low slots first: few pages are touched
	}
	j.brief(b)
	return j
}

// brief takes what the supervisor says.
func (j *Journal) brief(b briefing) {
	j.mu.Lock()
	defer j.mu.Unlock()
	clear(j.suspects)
	clear(j.quarantine)
	for _, s := range b.Suspects {
		j.accuse(s)
	}
	clear(j.blamed)
	for _, v := range b.Blamed {
		j.blamed[v.Code] = v.Reason
	}
	j.takeover = append(j.takeover, b.Messages...)
	j.wake()
}

// wake lets those look again that wait for something to change. The caller holds
// mu.
func (j *Journal) wake() {
	close(j.changed)
	j.changed = make(chan struct{})
}

func (j *Journal) ready() {
	if j.shared != nil {
		j.shared.markReady()
	}
}

// Enter is Begin for code that belongs to no instance: an HTTP request or the
// message of a trigger, known by id. leave is to be called when the code has
// ended, and may be called more than once. dequeued is how often the message was
// delivered, 0 where there is none.
//
// A request that ran when the process died runs again only while no other such
// request does, for ten seconds at most, and is blamed when the process dies once
// more.
func (j *Journal) Enter(ctx context.Context, id string, dequeued int) (leave func(), err error) {
	run, err := j.Begin(ctx, Code{Kind: Request, Execution: id}, dequeued)
	if err != nil {
		return nil, err
	}
	return func() { run.Return(false) }, nil
}

// Begin is to be called before user code runs, and [Run.Return] when it has. It
// returns at once, but for code that has to wait until it is alone.
//
// Deliveries is how often the message was delivered that brought this code its
// work, less those deliveries after which it was put off on purpose; 0 for
// others. It counts only without a supervisor: from the third on code runs
// alone, at the thirtieth it is blamed.
//
// The error is a *[BlamedError] when the code must not run at all, [ErrElsewhere]
// for a turn that must not run here, or that of ctx. An activity that must not
// run here waits until ctx ends, or until it may.
func (j *Journal) Begin(ctx context.Context, code Code, deliveries int) (*Run, error) {
	code = code.short()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sweep()
	if code.turns() { // what it begins after was committed, here or elsewhere
		j.over(code.Instance, func(c Code) bool { return c.past(code) })
	}
	for queued := false; ; {
		s, err := j.judge(code, deliveries)
		if queued && (err != nil || s == beside || s == alone) {
			j.waiting--
			j.wake()
		}
		if err != nil {
			return nil, err
		}
		if s == beside || s == alone {
			return j.admit(code, s == alone), nil
		}
		if s == soon && !queued {
			queued = true
			j.waiting++
		}
		if err := j.wait(ctx); err != nil {
			if queued {
				j.waiting--
				j.wake()
			}
			return nil, fmt.Errorf("waiting to run %s: %w", code, err)
		}
	}
}

// wait returns when something has changed. The caller holds mu, which is free
// meanwhile.
func (j *Journal) wait(ctx context.Context) error {
	changed := j.changed
	j.mu.Unlock()
	defer j.mu.Lock()
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Quarantined reports whether the instance is suspect and not for this process:
// what comes for it is to be handed over with [Journal.Divert].
func (j *Journal) Quarantined(instance string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.quarantine) == 0 {
		return false
	}
	instance = shortID(instance)
	return instance != j.trial && j.quarantined(instance)
}

// Suspects are the codes of instances that are suspect, in no order, and changed
// is closed when that may be different.
func (j *Journal) Suspects() (suspects []Suspect, changed <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for c, deaths := range j.suspects {
		if c.Instance != "" {
			suspects = append(suspects, Suspect{Code: c, Deaths: deaths})
		}
	}
	return suspects, j.changed
}

// Accuse makes code suspect that another instance of the app suspects.
func (j *Journal) Accuse(s Suspect) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.shared == nil || s.Code.Instance == "" || s.Deaths < 1 || j.suspects[s.Code] > 0 {
		return
	}
	j.accuse(s)
	j.tell(report{Accused: &s})
}

// Supervised reports whether there is a supervisor.
func (j *Journal) Supervised() bool { return j.shared != nil }
