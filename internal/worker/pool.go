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
	// ctx is what the activity runs in; cancel tells it to stop.
	ctx    context.Context
	cancel context.CancelFunc
	// step is the code of an activity that has no name of its own, nil for all
	// others.
	step ActivityFunc
	// queued is when the job came; it is read by the pool alone.
	queued time.Time
	// started is called once the job has a slot.
	started func()
	// finished takes the event that tells the orchestration, TaskCompleted or
	// TaskFailed; nil when the run was given up (the process stops).
	finished func(*history.Event)
}

// pool runs jobs in a bounded number of slots, first come first served. When
// the head of the queue has waited longer than the worker's patience, what is
// behind one more slot-full is handed to spill, newest last, so that other
// processes can take it.
type pool struct {
	w     *Worker
	slots int
	spill func([]*job)

	mu      sync.Mutex // guards the rest
	running int
	queue   []*job
	alarm   func() bool // stops the patience timer; nil when none is set
	closed  bool
}

func newPool(w *Worker, slots int, spill func([]*job)) *pool {
	return &pool{w: w, slots: slots, spill: spill}
}

// submit runs the job now or queues it. After close it drops the job.
func (p *pool) submit(j *job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	if p.running < p.slots {
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
	return max(p.slots-p.running-len(p.queue), 0)
}

func (p *pool) start(j *job) {
	p.running++
	if !p.w.spawn(func(ctx context.Context) { p.run(ctx, j) }) {
		p.running--
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
		j.cancel()
		j = p.next()
	}
}

func (p *pool) next() *job {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) == 0 || p.closed {
		p.running--
		return nil
	}
	j := p.queue[0]
	p.queue[0] = nil
	p.queue = p.queue[1:]
	return j
}

// watch sets the patience timer for the head of the queue.
func (p *pool) watch() {
	if p.alarm != nil || len(p.queue) == 0 || p.spill == nil {
		return
	}
	wait := p.w.Patience - p.w.clock.Now().Sub(p.queue[0].queued)
	p.alarm = p.w.clock.AfterFunc(max(wait, 0), p.impatient)
}

func (p *pool) impatient() {
	p.mu.Lock()
	p.alarm = nil
	var out []*job
	if len(p.queue) > 0 && p.w.clock.Now().Sub(p.queue[0].queued) >= p.w.Patience {
		out = p.takeSpill()
	}
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
	if len(p.queue) > 0 && p.alarm == nil {
		wait := p.w.Patience
		if age := p.w.clock.Now().Sub(p.queue[0].queued); age < wait {
			wait -= age
		}
		p.alarm = p.w.clock.AfterFunc(wait, p.impatient)
	}
}

// takeSpill removes all but one slot-full of the jobs that belong to an
// orchestration here. Work items stay: they are in a queue already.
func (p *pool) takeSpill() []*job {
	var out []*job
	keep := p.queue[:0:0]
	for _, j := range p.queue {
		if len(keep) < p.slots || j.owner == nil || j.step != nil {
			keep = append(keep, j)
		} else {
			out = append(out, j)
		}
	}
	p.queue = keep
	return out
}

// close drops what waits; what runs is the worker's to wait for.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.queue = nil
	if p.alarm != nil {
		p.alarm()
	}
}

func (p *pool) busy() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running+len(p.queue) > 0
}
