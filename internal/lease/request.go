package lease

import (
	"context"
	"errors"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

// action is the next request for a message.
type action int

const (
	nothing action = iota
	renewing
	copying
	removing
	givingBack
)

// begin starts a goroutine that makes the requests, unless one is at it. The
// caller holds the lock.
func (l *Lease) begin() {
	if l.busy || l.over {
		return
	}
	l.busy = true
	if !l.k.Exec.Go(l.work) {
		l.busy = false
		l.end()
	}
}

// work makes one request after the other until none is wanted.
func (l *Lease) work(ctx context.Context) {
	for {
		l.mu.Lock()
		act := l.next()
		successor := l.successor
		if act == nothing || successor != nil || ctx.Err() != nil {
			l.busy, l.successor = false, nil
			l.mu.Unlock()
			if successor != nil {
				successor.Absorb(l)
			}
			return
		}
		l.due = false
		l.disarm()
		have, delay := l.have, l.delay
		if act == renewing || act == copying {
			l.asked = l.k.Exec.Clock.Now().Add(l.k.Length)
		}
		with := have.PopReceipt
		l.mu.Unlock()
		err := l.request(ctx, act, &have, delay)
		l.mu.Lock()
		if l.overtook(act, with) {
			l.due = true
			l.mu.Unlock()
			continue
		}
		renewed := l.settle(ctx, act, have, err)
		l.mu.Unlock()
		if renewed && l.k.Renewed != nil {
			l.k.Exec.Go(func(ctx context.Context) { l.k.Renewed(ctx, l) })
		}
	}
}

// overtook reports whether a newer delivery was absorbed while a renewal was on its way
// with the receipt of an older one: what the service said of that one, or did for it,
// means nothing any more. The caller holds the lock.
func (l *Lease) overtook(act action, with string) bool {
	return (act == renewing || act == copying) && !l.over && l.have.PopReceipt != with
}

// next decides which request is due. The caller holds the lock.
func (l *Lease) next() action {
	switch {
	case l.over || l.following || !l.due:
		return nothing
	case l.want == remove:
		return removing
	case l.want == giveBack:
		return givingBack
	case l.unsure && l.tries > 0:
		return copying
	}
	return renewing
}

func (l *Lease) request(ctx context.Context, act action, have *taskhub.Lease, delay time.Duration) error {
	switch act {
	case renewing:
		return l.k.Store.Renew(ctx, have, l.k.Length)
	case copying:
		return l.copy(ctx, have, l.k.Length)
	case removing:
		return l.k.Store.Remove(ctx, have)
	}
	if l.worn() && l.copy(ctx, have, delay) == nil {
		return nil
	}
	return l.k.Store.Renew(ctx, have, delay)
}

// Removals that are not confirmed are repeated after these pauses.
const (
	minPause = time.Second
	maxPause = 10 * time.Second
)

// settle takes the outcome of a request and reports whether the lease is ours for
// another time. The caller holds the lock.
func (l *Lease) settle(ctx context.Context, act action, have taskhub.Lease, err error) (renewed bool) {
	if l.over {
		return false
	}
	switch {
	case act == givingBack, act == removing && err == nil:
		if err != nil && !errors.Is(err, taskhub.ErrLeaseLost) {
			l.k.Exec.Failed(ctx, err)
			l.stuck = err
		}
		l.end()
	case act == removing:
		l.k.Exec.Failed(ctx, err)
		l.tries++
		l.arm(min(minPause<<min(l.tries, 4), maxPause))
	case err == nil:
		l.renewed(have)
		return true
	case errors.Is(err, taskhub.ErrLeaseLost) && l.unsure && l.inTime() && act == renewing:
		// Only an answer was lost: the message is hidden under a receipt that is
		// not known.
		l.tries, l.due = 1, true
	case errors.Is(err, taskhub.ErrLeaseLost), act == copying && !l.inTime():
		l.lose()
	default:
		l.failed(ctx, err)
	}
	return false
}

func (l *Lease) renewed(have taskhub.Lease) {
	l.k.Exec.Recovered()
	if have.MessageID != l.have.MessageID {
		l.k.Journal.LetGo(&l.have)
	}
	l.have, l.unsure, l.hosted, l.tries, l.asked = have, false, false, 0, time.Time{}
	l.held()
	if l.want == keep {
		l.arm(have.Until.Sub(l.k.Exec.Clock.Now()) / 2)
	}
	for _, done := range l.adopting {
		done <- nil
	}
	l.adopting = nil
	l.endFollowers()
}

func (l *Lease) lose() {
	queue := l.have.Queue
	close(l.lost)
	l.end()
	l.k.Log.Warn("lease lost: another process works on the message", "message", l.ID, "queue", queue)
}

// failed notes a renewal, or a copy, of unknown outcome.
func (l *Lease) failed(ctx context.Context, err error) {
	l.unsure = true
	if ctx.Err() == nil {
		l.k.Exec.Failed(ctx, err)
	}
	for _, done := range l.adopting {
		done <- err
	}
	l.adopting = nil
	l.arm(l.k.Length / 10)
}

// copy sends the message anew, hidden for the time, and has the lease be of that.
func (l *Lease) copy(ctx context.Context, have *taskhub.Lease, hide time.Duration) error {
	m, err := l.k.Store.Open(ctx, []byte(have.Body))
	if err != nil {
		return err
	}
	if m.ID == "" {
		m.ID = l.ID
	}
	made, err := l.k.Store.Send(ctx, have.Queue, m, hide)
	if err != nil {
		return err
	}
	// Where the receipt is good the old message goes at once; else it is recognised
	// by its logical id when it comes.
	if err := l.k.Store.Remove(ctx, have); err != nil {
		l.k.Exec.Failed(ctx, err)
	}
	*have = *made
	return nil
}

// Where deliveries are evidence of code that ends the process (there is no
// supervisor), a message that was only put off must not look like one: from
// wornDeliveries on, and older than wornAge, it is sent anew when it is given
// back. A younger one keeps its age, which says how long a name may be unknown.
const (
	wornDeliveries = 5
	wornAge        = UnknownPatience
)

func (l *Lease) worn() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.deliveries >= wornDeliveries && l.k.Exec.Clock.Now().Sub(l.Sent) > wornAge
}
