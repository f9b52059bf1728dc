package worker

import (
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/executor"
)

const (
	// watchEvery is how often the watchdog looks. It counts its own looks, not
	// time: a process that is stopped, by a debugger or the system, does not
	// look either.
	watchEvery = time.Second
	// warnAfter and giveUpAfter are the looks after which code that stands
	// still is reported and given up.
	warnAfter   = 1
	giveUpAfter = 10
)

// watchdog finds orchestrator code that does not come back: it sleeps, waits
// for a channel or never ends. Go cannot stop it, so its goroutine is lost; its
// slot and its messages need not be. While no code runs it costs nothing.
type watchdog struct {
	clock executor.Clock
	log   *slog.Logger

	mu sync.Mutex // guards the rest
	// running is the code that runs; armed means that a look is planned.
	running map[*engine.Instance]standing
	armed   bool
	// stuck is the code that was given up and has not come back, by the id of
	// its orchestration.
	stuck map[string]*engine.BlockedError
	// back is called when such code has come back.
	back map[*engine.BlockedError]func()
}

// standing is how often the watchdog has seen code at the same place.
type standing struct {
	progress uint64
	looks    int
}

// watch runs f, which runs code of the instance, under the watchdog's eyes.
func (d *watchdog) watch(eng *engine.Instance, f func() error) error {
	d.mu.Lock()
	if d.running == nil {
		d.running, d.stuck = map[*engine.Instance]standing{}, map[string]*engine.BlockedError{}
	}
	d.running[eng] = standing{}
	if !d.armed {
		d.arm()
	}
	d.mu.Unlock()
	err := f()
	d.mu.Lock()
	delete(d.running, eng)
	d.mu.Unlock()
	return err
}

func (d *watchdog) arm() {
	d.armed = true
	d.clock.AfterFunc(watchEvery, d.look)
}

// look counts how long each code has stood still. Who looks first at code that
// has just begun sees nothing: a standing begins at the second look.
func (d *watchdog) look() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.armed = false
	if len(d.running) == 0 {
		return
	}
	var still []*engine.Instance
	for eng, s := range d.running {
		if now := eng.Progress(); now != s.progress {
			d.running[eng] = standing{progress: now}
			continue
		}
		s.looks++
		d.running[eng] = s
		if s.looks == warnAfter || s.looks == giveUpAfter {
			still = append(still, eng)
		}
	}
	if len(still) > 0 {
		d.report(still)
	}
	d.arm()
}

func (d *watchdog) report(still []*engine.Instance) {
	stacks := engine.Stacks()
	for _, eng := range still {
		blocked := eng.Blocked(stacks)
		if d.running[eng].looks < giveUpAfter {
			d.log.Warn("an orchestrator does not come back; it is given up after 10 s",
				"orchestrator", blocked.Orchestrator, "instance", blocked.InstanceID, "where", blocked.Where)
			continue
		}
		id := blocked.InstanceID
		if eng.GiveUp(blocked, func() { d.cameBack(id, blocked) }) {
			d.stuck[id] = blocked
			d.log.Error("an orchestrator that does not come back was given up; its goroutine is lost",
				"orchestrator", blocked.Orchestrator, "instance", id, "where", blocked.Where, "lost", len(d.stuck))
		}
	}
}

// whenBack has f called when code that was given up has come back.
func (d *watchdog) whenBack(blocked *engine.BlockedError, f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stuck[blocked.InstanceID] != blocked { // it has
		f()
		return
	}
	if d.back == nil {
		d.back = map[*engine.BlockedError]func(){}
	}
	d.back[blocked] = f
}

func (d *watchdog) cameBack(id string, blocked *engine.BlockedError) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stuck[id] == blocked {
		delete(d.stuck, id)
	}
	if f := d.back[blocked]; f != nil {
		delete(d.back, blocked)
		f()
	}
	d.log.Warn("the lost goroutine of an orchestrator has ended", "orchestrator", blocked.Orchestrator, "instance", id)
}

// isStuck returns why the code of an orchestration must not run again yet: its
// goroutine is still there, and the next would join it. nil: it may.
func (d *watchdog) isStuck(id string) *engine.BlockedError {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stuck[id]
}

func (d *watchdog) blocked() []*engine.BlockedError {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Values(d.stuck))
}
