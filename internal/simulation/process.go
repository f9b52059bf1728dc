package simulation

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/executor"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/faults"
	"github.com/durable-go/functions/internal/worker"
)

// How often what happens: one in so many, calls but for the last two, which are
// activities and runs.
const (
	oneLost     = 30
	oneSlow     = 50
	oneIncident = 25
	oneTwice    = 15
	oneCrash    = 40
	oneStrict   = 40
)

// slowest is the longest that a call takes where no process stands still.
const slowest = 25 * time.Second

// process is one life of a process that works on the hub, or the client, which has no
// worker and never ends.
type process struct {
	world        *world
	number, life int
	worker       *worker.Worker
	stop         context.CancelFunc
	fed          sync.WaitGroup
	dead         chan struct{}

	mu     sync.Mutex // guards the rest
	ended  bool
	paused chan struct{} // closed when the pause that is on ends; nil: none is on
}

func (p *process) name() string {
	if p.number < 0 {
		return "client"
	}
	return fmt.Sprintf("p%d.%d", p.number, p.life)
}

// begin starts a process.
func (w *world) begin(number, life int) *process {
	p := &process{world: w, number: number, life: life, dead: make(chan struct{})}
	dice := w.dice(p.name())
	o := w.app.Worker
	o.Store, o.Log, o.Activities = p.link(), quiet, p.activity
	if w.run.Calm&Skew == 0 {
		o.Clock = skewed{time.Duration(dice.Int64N(int64(4*time.Second))) - 2*time.Second}
	}
	b, old := w.build(p)
	made, err := worker.New(b.apply(o))
	if err != nil {
		panic(err) // the options are the same each time
	}
	p.worker = made
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	queues := w.names()
	if w.run.Calm&Hosts == 0 && dice.IntN(2) == 0 {
		for _, queue := range queues {
			p.fed.Go(func() { p.feed(ctx, queue) })
		}
	} else {
		p.worker.Poll(ctx, queues[0])
		p.worker.PollActivities(ctx, queues[1])
	}
	w.trace.add("%s begins", p.name())
	if old {
		// Processes are replaced one after the other.
		at := deployed - time.Duration(dice.Int64N(int64(time.Second)))
		time.AfterFunc(at-time.Since(w.began), func() { p.die("for a deployment", time.Second) })
	}
	return p
}

// skewed is a clock that is ahead, or behind.
type skewed struct{ by time.Duration }

func (s skewed) Now() time.Time { return executor.SystemClock{}.Now().Add(s.by) }

func (s skewed) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return executor.SystemClock{}.AfterFunc(d, f)
}

// hidden is for how long the Functions host hides what it fetches.
const hidden = 10 * time.Minute

// feed gives messages to the worker as the Functions host does.
func (p *process) feed(ctx context.Context, queue string) { //nolint:gocognit // one loop, as the host has it
	store := p.link()
	var invocations sync.WaitGroup
	defer invocations.Wait()
	for ctx.Err() == nil {
		wake, due := p.world.hub.Wake(queue)
		batch, err := store.Receive(ctx, queue, 16, hidden)
		if err == nil && len(batch) == 0 {
			wait := time.Hour
			if !due.IsZero() {
				wait = max(time.Until(due), time.Millisecond)
			}
			select {
			case <-wake:
			case <-time.After(wait):
			case <-ctx.Done():
			}
			continue
		}
		if err != nil {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
		}
		for _, d := range batch {
			invocations.Go(func() {
				if p.worker.Deliver(ctx, d, true) == nil {
					_ = store.Remove(ctx, d.Lease)
				} else {
					_ = store.Renew(ctx, d.Lease, 0)
				}
			})
		}
	}
}

// end makes all calls of the process fail from now on, and reports whether they had not
// before.
func (p *process) end() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return false
	}
	p.ended = true
	close(p.dead)
	return true
}

// bury ends what is left of a process whose calls fail.
func (p *process) bury() {
	p.stop()
	p.worker.Kill()
	p.fed.Wait()
}

// die ends the process at a call; another takes its place after a while.
func (p *process) die(why string, after time.Duration) {
	if !p.end() {
		return
	}
	p.world.trace.add("%s dies %s", p.name(), why)
	p.world.lives.Go(func() { p.world.replace(p, after) })
}

// pause makes the process stand still.
func (p *process) pause(why string, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended || p.paused != nil {
		return
	}
	p.world.trace.add("%s stands still for %v %s", p.name(), d.Round(time.Second), why)
	paused := make(chan struct{})
	p.paused = paused
	time.AfterFunc(d, func() {
		p.mu.Lock()
		p.paused = nil
		p.mu.Unlock()
		close(paused)
	})
}

// still waits while the process stands still, and then for a moment that follows from
// the dice, so that what had waited goes on one after the other. It reports false when
// the process has died.
func (p *process) still(dice *rand.Rand) bool {
	p.mu.Lock()
	paused := p.paused
	p.mu.Unlock()
	if paused != nil {
		<-paused
		<-time.After(latency(dice))
	}
	select {
	case <-p.dead:
		return false
	default:
		return true
	}
}

// takes waits for as long as a part of a call takes.
func (p *process) takes(d time.Duration, dice *rand.Rand) error {
	select {
	case <-time.After(d):
	case <-p.dead:
	}
	if !p.still(dice) {
		return faults.ErrDead
	}
	return nil
}

// call makes a call of the process, with what goes wrong at it.
func (p *process) call(_ context.Context, c faults.Call, do func() error) error {
	name := p.name() + " " + c.Op + " " + c.Subject
	if c.ID != "" {
		name += " " + c.ID
	}
	dice := p.world.next(name)
	if !p.still(dice) {
		return faults.ErrDead
	}
	f := p.fate(dice, c)
	p.happens(f.before, "before "+c.Op+" "+c.Subject)
	if err := p.takes(f.there, dice); err != nil {
		return err
	}
	if f.lostBefore || p.number >= 0 && p.world.isAway(serviceOf(c.Op)) {
		return fmt.Errorf("%s: %w", c.Op, faults.ErrLost)
	}
	err := do()
	if c.Op != "receive" {
		p.world.trace.add("%s %s %s %s: %v", p.name(), c.Op, c.Subject, c.ID, err)
	}
	p.happens(f.after, "after "+c.Op+" "+c.Subject)
	if err := p.takes(f.back, dice); err != nil {
		return err
	}
	if f.lostAfter {
		return fmt.Errorf("%s: %w", c.Op, faults.ErrLost)
	}
	return err
}

// fate is what befalls a call.
type fate struct {
	there, back           time.Duration
	lostBefore, lostAfter bool
	before, after         *event
}

// event is a death, or a pause of some length.
type event struct {
	pause, again time.Duration
}

func (p *process) fate(dice *rand.Rand, c faults.Call) (f fate) {
	calm := p.world.run.Calm
	f.there, f.back = latency(dice), latency(dice)
	if one(dice, oneSlow) && calm&Delays == 0 && p.number >= 0 {
		late := time.Duration(dice.Int64N(int64(slowest)))
		if dice.IntN(2) == 0 {
			f.there += late
		} else {
			f.back += late
		}
	}
	if one(dice, oneLost) && calm&Losses == 0 && p.number >= 0 {
		f.lostBefore = dice.IntN(2) == 0
		f.lostAfter = !f.lostBefore
	}
	if p.number < 0 || c.Op == "receive" || !one(dice, oneIncident) || !p.world.incident() {
		return f
	}
	e := &event{again: time.Duration(dice.Int64N(int64(20 * time.Second)))}
	if dice.IntN(2) == 0 {
		e.pause = time.Duration(dice.Int64N(int64(2 * time.Minute)))
	}
	if dice.IntN(2) == 0 {
		f.before = e
	} else {
		f.after = e
	}
	return f
}

func (p *process) happens(e *event, when string) {
	switch {
	case e == nil:
	case e.pause > 0:
		p.pause(when, e.pause)
	default:
		p.die(when, e.again)
	}
}

func one(dice *rand.Rand, in int) bool { return dice.IntN(in) == 0 }

// latency is that of an ordinary request, one way.
func latency(dice *rand.Rand) time.Duration {
	return time.Microsecond + time.Duration(dice.Int64N(int64(8*time.Millisecond)))
}

func serviceOf(op string) string {
	switch op {
	case "send", "receive", "renew", "remove":
		return "queue"
	}
	return "table"
}

func hash(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return h.Sum64()
}

// link is the hub as the process sees it.
func (p *process) link() taskhub.Store {
	return &link{faults.Through(p.world.watch, p.call), p}
}

// link gives messages late, twice, and in another order.
type link struct {
	*faults.Passing
	p *process
}

func (l *link) Send(ctx context.Context, queue string, m *taskhub.Message, delay time.Duration) (*taskhub.Lease, error) {
	dice := l.p.world.next(l.p.name() + " disorder " + m.Target.InstanceID)
	if l.p.world.run.Calm&Disorder == 0 {
		if one(dice, oneTwice) {
			if _, err := l.Passing.Send(ctx, queue, m, delay); err != nil {
				return nil, err
			}
		}
		delay = min(delay+time.Duration(dice.IntN(5))*time.Second, taskhub.MaxDelay)
	}
	return l.Passing.Send(ctx, queue, m, delay)
}

func (l *link) Receive(ctx context.Context, queue string, most int, hide time.Duration) ([]taskhub.Delivery, error) {
	batch, err := l.Passing.Receive(ctx, queue, most, hide)
	if l.p.world.run.Calm&Disorder == 0 && len(batch) > 1 {
		dice := l.p.world.next(l.p.name() + " order " + queue)
		dice.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
	}
	return batch, err
}
