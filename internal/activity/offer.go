package activity

import (
	"context"
	"slices"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

// Soon is how far ahead a process keeps work to itself: what it will not begin
// within that time is offered to others, who find it in the queue of work items.
const soon = 2 * time.Second

// Bounds of a batch that is offered while nothing shows that others take it.
const (
	minBatch = 32
	maxBatch = 1024
)

// pace is how long a run takes, as far as is known: a mean in which a new run
// weighs an eighth.
type pace struct{ mean time.Duration }

func (p *pace) note(d time.Duration) {
	if p.mean == 0 {
		p.mean = d
		return
	}
	p.mean += (d - p.mean) / 8
}

// keep is how many waiting runs the slots will begin soon: at least one for each,
// so that none stands idle while it fetches work.
func keep(slots int, each time.Duration) int {
	if each <= 0 {
		each = time.Millisecond
	}
	return slots * max(1, int(soon/each))
}

// offered are the runs that others may take, oldest first. It is guarded by the
// pool's lock.
type offered struct {
	list []offer
	// batch is how many may be offered at the same time: it doubles as others take.
	batch int
	// taking means that some are being taken back.
	taking bool
}

// offer is one work item that this process has sent.
type offer struct {
	message *taskhub.Message
	lease   *taskhub.Lease
}

// Offered notes that a run was sent to the queue of its activity, with the receipt
// of its message.
func (p *Pool) Offered(m *taskhub.Message, l *taskhub.Lease) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.offered.list = append(p.offered.list, offer{m, l})
}

// Taken notes that the result of a work item with the logical id came from another
// process: others have time, and are offered more.
func (p *Pool) Taken(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.offered.forget(id) {
		p.offered.batch = min(2*max(p.offered.batch, minBatch), maxBatch)
	}
}

// cameBack notes that a work item was delivered to this process, which may be the one
// that has offered it: a Functions host fetches messages whether slots are free or not.
func (p *Pool) cameBack(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.offered.forget(id)
}

// forget removes an offer, and reports whether there was one.
func (o *offered) forget(id string) bool {
	i := slices.IndexFunc(o.list, func(o offer) bool { return o.message.ID == id })
	if i < 0 {
		return false
	}
	o.list = append(o.list[:i:i], o.list[i+1:]...)
	return true
}

// watch sets the patience timer for the head of the queue.
func (p *Pool) watch() {
	since, any := p.oldest()
	if p.alarm != nil || !any || p.Offer == nil {
		return
	}
	wait := p.Patience - p.Exec.Clock.Now().Sub(since)
	if wait <= 0 {
		// It was looked at before: what waits is what stays.
		wait = p.Patience
	}
	p.alarm = p.Exec.Clock.AfterFunc(wait, p.impatient)
}

// oldest is since when a run has waited longest.
func (p *Pool) oldest() (since time.Time, any bool) {
	if len(p.queue) > 0 {
		since, any = p.queue[0].queued, true
	}
	for _, b := range p.bounds {
		if len(b.waiting) > 0 && (!any || b.waiting[0].queued.Before(since)) {
			since, any = b.waiting[0].queued, true
		}
	}
	return since, any
}

func (p *Pool) impatient() {
	p.mu.Lock()
	p.alarm = nil
	var out []*Run
	if !p.closed {
		out = p.surplus()
		p.watch()
	}
	p.mu.Unlock()
	if len(out) > 0 {
		p.Offer(out)
	}
}

// surplus takes from the queues what this process will not begin soon, at most a
// batch of it.
func (p *Pool) surplus() (out []*Run) {
	now := p.Exec.Clock.Now()
	each := p.pace.mean
	for r := range p.running {
		each = max(each, now.Sub(r.began))
	}
	room := max(p.offered.batch, minBatch) - len(p.offered.list)
	if p.OfferAll {
		room = maxBatch
	}
	for _, b := range p.bounds {
		if len(b.waiting) > 0 && now.Sub(b.waiting[0].queued) >= p.Patience {
			b.waiting, out = part(b.waiting, out, keep(b.most, each), room)
		}
	}
	if len(p.queue) > 0 && now.Sub(p.queue[0].queued) >= p.Patience {
		before := len(out)
		p.queue, out = part(p.queue, out, keep(p.Slots, each), room)
		for _, r := range out[before:] {
			p.release(r)
		}
	}
	return out
}

// part takes runs from the end of a queue, all but the first few and at most as
// many as there is room for. Work items and steps stay: the former are in a queue
// already, the latter can run here only.
func part(queue, out []*Run, few, room int) (rest, taken []*Run) {
	if few >= len(queue) || len(out) >= room {
		return queue, out
	}
	rest = queue[:0:0]
	for i, r := range queue {
		if i < few || len(out) >= room || r.Item || r.Step != nil {
			rest = append(rest, r)
		} else {
			out = append(out, r)
		}
	}
	return rest, out
}

// takeBack begins to take back what was offered, when a slot is free. The caller
// holds the lock.
func (p *Pool) takeBack() {
	if p.closed || p.offered.taking || len(p.offered.list) == 0 {
		return
	}
	p.offered.taking = true
	p.Exec.Go(p.takeOffers)
}

// takeOffers takes work items back as long as there are free slots, by an update
// with the receipt of their put: a message that another process has is not
// touched, and a lost answer leaves the work to who receives the message.
func (p *Pool) takeOffers(ctx context.Context) {
	for {
		p.mu.Lock()
		n := min(p.Slots-len(p.running)-len(p.queue), len(p.offered.list), minBatch)
		if n <= 0 || p.closed {
			p.offered.taking = false
			p.mu.Unlock()
			return
		}
		batch := p.offered.list[:n:n]
		p.offered.list = append([]offer(nil), p.offered.list[n:]...)
		p.mu.Unlock()
		_ = p.Exec.Each(ctx, n, func(ctx context.Context, i int) error {
			o := batch[i]
			if p.Store.Renew(ctx, o.lease, p.Keeper.Length) == nil {
				d := taskhub.Delivery{Message: o.message, Lease: o.lease, Inserted: o.message.Event.Timestamp}
				p.item(d, p.Keeper.Hold(d, false), nil)
			}
			return nil
		})
	}
}
