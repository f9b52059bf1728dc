// Package lease keeps the messages that a process holds. A message held is a
// lease: as long as it is hidden from others, this process works on what it
// asks for. A lease is renewed at half time, and it ends in one of four ways: it
// is removed, given back, lost to another process, or taken over by a newer
// delivery of the same message.
//
// The pop receipt of a message changes with every update, and the answer that
// holds the new one may be lost. So there is one request for a message at a time,
// and what is decided meanwhile waits for its end; no lock is held over it. After
// a lost answer the service refuses the old receipt although nobody else has the
// message: until the lease's time is over a hidden copy with the same logical id
// takes the place of the message, and the old one is recognised by that id when
// it comes.
package lease

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/executor"
	"github.com/durable-go/functions/internal/journal"
	"github.com/durable-go/functions/internal/taskhub"
)

// Store is what leases need of the queues.
type Store interface {
	Send(ctx context.Context, queue string, m *taskhub.Message, delay time.Duration) (*taskhub.Lease, error)
	Open(ctx context.Context, body []byte) (*taskhub.Message, error)
	Renew(ctx context.Context, l *taskhub.Lease, hide time.Duration) error
	Remove(ctx context.Context, l *taskhub.Lease) error
}

// Keeper holds messages for one process. Its methods may be called concurrently.
type Keeper struct {
	Store Store
	Exec  *executor.Executor
	// Length is how long a message stays hidden without renewal.
	Length time.Duration
	// Renewed is called, on a goroutine of its own, after a lease was renewed.
	// nil: nothing is.
	Renewed func(ctx context.Context, l *Lease)
	// Journal hears which messages are held.
	Journal journal.Journal
	Log     *slog.Logger
}

// margin is how long before its time a lease counts as over: the service's clock
// and ours, and the way of a request between them, may differ by that much.
func (k *Keeper) margin() time.Duration { return min(k.Length/10, time.Second) }

// Lease is one message that this process holds. Its methods may be called
// concurrently.
type Lease struct {
	// ID is the logical id of the message, Sent when it was sent first.
	ID   string
	Sent time.Time

	k     *Keeper
	ended chan struct{}
	lost  chan struct{}

	mu sync.Mutex // guards the rest; never held over a request
	// have is the newest receipt that is known; unsure that a newer one may
	// exist, because an answer did not come.
	have   taskhub.Lease
	unsure bool
	// asked is until when a request without an answer wants the message hidden, which
	// may be sooner than the host did; zero: there is none.
	asked      time.Time
	deliveries int
	// hosted means that the Functions host holds the message and removes it when
	// its invocation is answered.
	hosted bool
	// want is what is to become of the message; busy that a request for it is on
	// its way, over that it is not ours any more.
	want  want
	delay time.Duration // of a message given back
	stuck error         // why it could not be given back
	busy  bool
	over  bool
	due   bool // a renewal is wanted now
	tries int  // of a removal
	// adopting are told when the next renewal has ended. followers are newer
	// deliveries whose place this lease has taken, following that this is one;
	// successor takes this one's place when the request on its way has ended.
	adopting  []chan<- error
	followers []*Lease
	following bool
	successor *Lease
	alarm     func() bool
}

// want is what is to become of a message.
type want int

const (
	keep want = iota
	remove
	giveBack
)

// Hold begins to renew a message that this process was given. hosted means that
// the Functions host holds it too.
func (k *Keeper) Hold(d taskhub.Delivery, hosted bool) *Lease {
	l := &Lease{
		ID: d.Message.ID, Sent: d.Message.Event.Timestamp, k: k, have: *d.Lease, deliveries: d.Dequeued, hosted: hosted,
		ended: make(chan struct{}), lost: make(chan struct{}),
	}
	l.mu.Lock()
	l.arm(l.have.Until.Sub(k.Exec.Clock.Now()) / 2)
	l.held()
	l.mu.Unlock()
	return l
}

// Alive reports whether work may be started under the lease: nobody else can have
// the message now.
func (l *Lease) Alive() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ours() && l.inTime()
}

func (l *Lease) ours() bool { return !l.over && !l.following && l.want == keep }

func (l *Lease) inTime() bool {
	until := l.have.Until
	if !l.asked.IsZero() && l.asked.Before(until) {
		until = l.asked
	}
	return l.k.Exec.Clock.Now().Before(until.Add(-l.k.margin()))
}

// Ended is closed when the message is not ours any more, whatever the reason.
func (l *Lease) Ended() <-chan struct{} { return l.ended }

// Outcome is nil for a lease that has ended as it should, and the error of one whose
// message could not be given back: the host must not delete it.
func (l *Lease) Outcome() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stuck
}

// Lost is closed when another process has the message.
func (l *Lease) Lost() <-chan struct{} { return l.lost }

// IsOver reports whether the message is not ours any more.
func (l *Lease) IsOver() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.over
}

// Deliveries is how often the message was delivered when it was taken last; 0 for
// one that this process has sent itself.
func (l *Lease) Deliveries() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.deliveries
}

// Same reports whether two leases are of one message of a queue, and not of two
// with one logical id.
func (l *Lease) Same(other *Lease) bool { return l.messageID() == other.messageID() }

func (l *Lease) messageID() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.have.MessageID
}

// Remove deletes the message: all that it caused is durable elsewhere. The
// deletion is repeated until the service has confirmed it; Ended is closed then.
func (l *Lease) Remove() { l.decide(remove, 0) }

// GiveBack lets others have the message after the delay. It is tried once: the
// lease ends by itself.
func (l *Lease) GiveBack(delay time.Duration) { l.decide(giveBack, delay) }

func (l *Lease) decide(w want, delay time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ours() {
		return
	}
	l.want, l.delay, l.due = w, delay, true
	if w == remove && l.hosted && taskhub.StubBlob(l.have.Body) == nil {
		// The host deletes the message, but not the blob that it may have.
		l.end()
		return
	}
	l.begin()
}

// Adopt replaces the lease of the host, which may be much longer than ours, by our
// own. When it returns nil the host may answer its invocation: what it deletes
// then is not the message that is held. After an error the host still holds it.
func (l *Lease) Adopt(ctx context.Context) error {
	l.mu.Lock()
	if !l.ours() {
		l.mu.Unlock()
		select {
		case <-l.ended:
			return l.Outcome()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if !l.hosted {
		l.mu.Unlock()
		return nil
	}
	done := make(chan error, 1)
	l.adopting = append(l.adopting, done)
	l.due = true
	l.begin()
	l.mu.Unlock()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Forsake ends the lease of a message that the host is about to let others have: its
// invocation fails. What runs under the lease is told to stop.
func (l *Lease) Forsake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		close(l.lost)
		l.end()
	}
}

// Absorb gives the lease a newer delivery of its message: only the newer pop
// receipt is good from now on. Where newer is another message with the same
// logical id it is removed, unless this lease is past its time.
func (l *Lease) Absorb(newer *Lease) {
	if newer == l {
		return
	}
	newer.mu.Lock()
	if newer.busy {
		// Its receipt is about to change.
		newer.successor = l
		newer.mu.Unlock()
		return
	}
	have, hosted, deliveries := newer.have, newer.hosted, newer.deliveries
	gone := !newer.ours()
	newer.mu.Unlock()
	if gone {
		return
	}
	l.mu.Lock()
	switch {
	case l.ours() && (have.MessageID == l.have.MessageID || !l.inTime() || l.unsure):
	case l.ours(), l.want == remove:
		l.mu.Unlock()
		newer.Remove()
		return
	default:
		// What runs under this lease ends, and runs again for who has the message then.
		l.mu.Unlock()
		newer.GiveBack(minPause)
		return
	}
	l.have, l.hosted, l.unsure, l.asked = have, hosted, false, time.Time{}
	l.deliveries = max(l.deliveries, deliveries)
	l.followers = append(l.followers, newer)
	// The host deletes the message when the newer invocation is answered, by the
	// receipt that it has. So that one is answered after a renewal.
	l.due = true
	l.begin()
	l.mu.Unlock()
	newer.follow()
}

// follow stops renewing a delivery whose place another lease has taken, which lets
// it end after its own renewal.
func (l *Lease) follow() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.following = true
	l.disarm()
}

// Release gives the message back on the caller's goroutine, for a process that
// stops and whose other goroutines have ended.
func (l *Lease) Release(ctx context.Context) {
	l.mu.Lock()
	if l.over {
		l.mu.Unlock()
		return
	}
	have, removing := l.have, l.want == remove
	l.end()
	l.mu.Unlock()
	var err error
	if removing {
		err = l.k.Store.Remove(ctx, &have)
	} else {
		err = l.k.Store.Renew(ctx, &have, 0)
	}
	if err != nil && !errors.Is(err, taskhub.ErrLeaseLost) {
		l.k.Exec.Failed(ctx, err)
	}
}

// Drop forgets the message as the end of the process would.
func (l *Lease) Drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end()
}

// held tells the journal what is held now. The caller holds the lock.
func (l *Lease) held() {
	have := l.have
	l.k.Journal.Hold(&have, l.deliveries)
}

// end notes that the message is not ours any more. The caller holds the lock.
func (l *Lease) end() {
	if l.over {
		return
	}
	l.over = true
	l.disarm()
	l.k.Journal.LetGo(&l.have)
	close(l.ended)
	for _, done := range l.adopting {
		done <- nil
	}
	l.adopting = nil
	l.endFollowers()
}

func (l *Lease) endFollowers() {
	for _, f := range l.followers {
		// Locks are taken from the older lease to the newer one, never back.
		f.mu.Lock()
		f.end()
		f.mu.Unlock()
	}
	l.followers = nil
}

func (l *Lease) disarm() {
	if l.alarm != nil {
		l.alarm()
		l.alarm = nil
	}
}

// arm plans the next request. The caller holds the lock.
func (l *Lease) arm(wait time.Duration) {
	l.disarm()
	l.alarm = l.k.Exec.Clock.AfterFunc(max(wait, 0), func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.due = true
		l.begin()
	})
}
