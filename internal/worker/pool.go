package worker

import (
	"context"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// job is one run of an activity in this process.
type job struct {
	call *Activity
	// lease is the message under which the activity runs: the one that its
	// orchestration holds, or the work item itself.
	lease *held
	// owner is the orchestration here that waits for the result; nil for a
	// work item whose orchestration is somewhere else.
	owner *instance
	// ctx is what the activity runs in; cancel tells it to stop, and why.
	ctx    context.Context
	cancel context.CancelCauseFunc
	// step is the code of an activity that has no name of its own, nil for all
	// others.
	step ActivityFunc
	// queued is when the job came; it is read by the pool alone.
	queued time.Time
	// room is the bound of its activity; nil for most.
	room *room
	// started is called once the job has a slot.
	started func()
	// finished takes the event that tells the orchestration, TaskCompleted or
	// TaskFailed; nil when the run was given up (the process stops).
	finished func(*history.Event)
}

// pool runs jobs in a bounded number of slots, first come first served. When
// the head of the queue has waited longer than the worker's patience, what is
// behind one more slot-full is handed to spill, newest last, so that other
// processes can take it. Jobs of an activity with a cap of its own wait apart
// while the cap is used up, so that nothing waits behind them; there is one more
// cap-full of them that is not spilled.
type pool struct {
	w     *Worker
	slots int
	spill func([]*job)

	mu      sync.Mutex // guards the rest
	running map[*job]struct{}
	queue   []*job
	caps    map[string]*room
	alarm   func() bool // stops the patience timer; nil when none is set
	closed  bool
}

func newPool(w *Worker, slots int, spill func([]*job)) *pool {
	return &pool{w: w, slots: slots, spill: spill, running: map[*job]struct{}{}, caps: map[string]*room{}}
}

// submit runs the job now or queues it. After close it drops the job.
func (p *pool) submit(j *job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	if j.room = p.capOf(j); j.room != nil && !j.room.take() {
		j.queued = p.w.clock.Now()
		j.room.waiting = append(j.room.waiting, j)
		p.watch()
		return
	}
	if len(p.running) < p.slots {
		p.start(j)
		return
	}
	j.queued = p.w.clock.Now()
	p.queue = append(p.queue, j)
	p.watch()
}

// free is the number of jobs that would start at once.
func (p *pool) free() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(p.slots-len(p.running)-len(p.queue), 0)
}

func (p *pool) start(j *job) {
	p.running[j] = struct{}{}
	if !p.w.spawn(func(ctx context.Context) { p.run(ctx, j) }) {
		delete(p.running, j)
	}
}

// run works through jobs until none waits, so that a slot goes from one job to
// the next without a new goroutine.
func (p *pool) run(ctx context.Context, j *job) {
	for j != nil {
		if j.started != nil {
			j.started()
		}
		j.finished(p.w.execute(j))
		j.cancel(nil)
		j = p.next(j)
	}
}

// next ends a job and takes the one that has waited longest.
func (p *pool) next(last *job) *job {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.running, last)
	p.release(last)
	if len(p.queue) == 0 || p.closed {
		return nil
	}
	j := p.queue[0]
	p.running[j] = struct{}{}
	p.queue[0] = nil
	p.queue = p.queue[1:]
	return j
}

// watch sets the patience timer for the head of the queue.
func (p *pool) watch() {
	since, any := p.oldest()
	if p.alarm != nil || !any || p.spill == nil {
		return
	}
	wait := p.w.Patience - p.w.clock.Now().Sub(since)
	p.alarm = p.w.clock.AfterFunc(max(wait, 0), p.impatient)
}

// oldest is since when a job has waited longest.
func (p *pool) oldest() (since time.Time, any bool) {
	if len(p.queue) > 0 {
		since, any = p.queue[0].queued, true
	}
	for _, c := range p.caps {
		if len(c.waiting) > 0 && (!any || c.waiting[0].queued.Before(since)) {
			since, any = c.waiting[0].queued, true
		}
	}
	return since, any
}

// impatientWith tells whether the head of a queue has waited too long.
func (p *pool) impatientWith(queue []*job) bool {
	return len(queue) > 0 && p.w.clock.Now().Sub(queue[0].queued) >= p.w.Patience
}

func (p *pool) impatient() {
	p.mu.Lock()
	p.alarm = nil
	out := p.takeSpill()
	if len(out) == 0 {
		p.watchNext()
	}
	p.mu.Unlock()
	if len(out) > 0 {
		p.spill(out)
	}
}

// watchNext looks again a full patience later when nothing could be spilled,
// not at once: what waits is a slot-full that stays here.
func (p *pool) watchNext() {
	if since, any := p.oldest(); any && p.alarm == nil {
		wait := p.w.Patience
		if age := p.w.clock.Now().Sub(since); age < wait {
			wait -= age
		}
		p.alarm = p.w.clock.AfterFunc(wait, p.impatient)
	}
}

// takeSpill removes what is too much from the queues whose head has waited too
// long.
func (p *pool) takeSpill() (out []*job) {
	for _, c := range p.caps {
		if p.impatientWith(c.waiting) {
			var more []*job
			c.waiting, more = surplus(c.waiting, c.most)
			out = append(out, more...)
		}
	}
	if p.impatientWith(p.queue) {
		var more []*job
		p.queue, more = surplus(p.queue, p.slots)
		for _, j := range more {
			p.release(j)
		}
		out = append(out, more...)
	}
	return out
}

// surplus parts a queue: all but the first few of the jobs that belong to an
// orchestration here are too much. Work items stay: they are in a queue already.
func surplus(queue []*job, few int) (keep, out []*job) {
	for _, j := range queue {
		if len(keep) < few || j.owner == nil || j.step != nil {
			keep = append(keep, j)
		} else {
			out = append(out, j)
		}
	}
	return keep, out
}

// close drops what waits; what runs is the worker's to wait for.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.queue = nil
	clear(p.caps)
	if p.alarm != nil {
		p.alarm()
	}
}

func (p *pool) busy() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, waiting := p.oldest()
	return len(p.running) > 0 || waiting
}
