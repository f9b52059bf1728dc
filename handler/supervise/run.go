package supervise

import (
	"slices"
	"time"
)

// Run is user code that runs, or has run.
type Run struct {
	j    *Journal
	code Code
	// The rest is guarded by the journal's lock.
	slot  uint32 // 0: none
	since time.Time
	limit *time.Timer // of a request on trial, nil elsewhere
	over  bool
}

// admit notes that code runs. The caller holds mu.
func (j *Journal) admit(code Code, alone bool) *Run {
	run := &Run{j: j, code: code}
	if old := j.pending[code]; old != nil {
		j.forget(old) // it runs once more
	}
	how := running
	if alone {
		j.bench = run
		if j.trial == "" {
			how = trial
			run.limit = time.AfterFunc(requestTrial, run.endTrial)
		}
	}
	run.slot = j.take(how, code)
	return run
}

// endTrial lets others onto the bench while code still runs.
func (r *Run) endTrial() {
	r.j.mu.Lock()
	defer r.j.mu.Unlock()
	if r.over {
		return
	}
	if r.slot != 0 {
		r.j.shared.set(r.slot, running)
	}
	r.leaveBench()
}

// leaveBench is called with mu held.
func (r *Run) leaveBench() {
	if r.limit != nil {
		r.limit.Stop()
	}
	if r.j.bench != r {
		return
	}
	r.j.bench = nil
	if r.code.Instance == "" {
		r.j.acquit(r.code)
	}
	r.j.wake()
}

// Return notes that the code has returned, or, with left, that it was given up
// and that its goroutine is still there: then it stays suspect until
// [Run.Gone]. Only the first call counts.
func (r *Run) Return(left bool) {
	j := r.j
	j.mu.Lock()
	defer j.mu.Unlock()
	if r.over {
		return
	}
	r.over = true
	r.leaveBench()
	switch {
	case r.slot == 0:
	case left:
		j.shared.set(r.slot, behind)
	case r.code.Instance == "":
		j.release(r)
	default:
		how := returned
		if !j.broken && !j.intact() {
			j.broken, how = true, broke
		}
		j.shared.set(r.slot, how)
		r.since = time.Now()
		j.pending[r.code] = r
		j.instances[r.code.Instance] = append(j.instances[r.code.Instance], r)
		j.aging = append(j.aging, r)
	}
}

// Gone notes that the goroutine of code that was given up has ended.
func (r *Run) Gone() {
	r.j.mu.Lock()
	defer r.j.mu.Unlock()
	if r.over && r.j.pending[r.code] != r {
		r.j.release(r)
	}
}

// Committed notes that an instance has committed what all its code did up to the
// position in the execution, and which of its activities are open still, by task
// id: its turns before that and its other activities are above suspicion.
func (j *Journal) Committed(instance, execution string, position int64, open func(task int64) bool) {
	at := Code{Kind: Turn, Instance: instance, Execution: execution, Position: position}.short()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.over(at.Instance, func(c Code) bool {
		if c.turns() {
			return c.past(at)
		}
		return c.Kind == Activity && (c.Execution != at.Execution || !open(c.Position))
	})
}

// Waiting notes which requests the inbox of an entity still has: operations of others
// are above suspicion, wherever they have run.
func (j *Journal) Waiting(entity string, has func(request string) bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.over(shortID(entity), func(c Code) bool {
		// One whose id was shortened is not found among them.
		return c.Kind == Entity && len(c.Execution) < maxID && !has(c.Execution)
	})
}

// Ended notes that an instance has ended or does not exist: none of its code will
// run again.
func (j *Journal) Ended(instance string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.over(shortID(instance), func(Code) bool { return true })
}

// over notes that code of an instance is of the past. The caller holds mu.
func (j *Journal) over(instance string, is func(Code) bool) {
	for _, r := range slices.Clone(j.instances[instance]) {
		if is(r.code) {
			j.forget(r)
		}
	}
	if j.quarantine[instance] == 0 {
		return
	}
	for c := range j.suspects {
		if c.Instance == instance && is(c) {
			j.acquit(c)
		}
	}
}

// Stored notes that the outcome of an activity, or of an operation of an entity, is
// durable: it will not run again.
func (j *Journal) Stored(code Code) {
	code = code.short()
	j.mu.Lock()
	defer j.mu.Unlock()
	if r := j.pending[code]; r != nil {
		j.forget(r)
	}
	j.acquit(code)
}

// acquit frees a suspect. The caller holds mu.
func (j *Journal) acquit(c Code) {
	if j.suspects[c] > 0 {
		delete(j.suspects, c)
		if j.quarantine[c.Instance]--; j.quarantine[c.Instance] <= 0 {
			delete(j.quarantine, c.Instance)
		}
		j.tell(report{Stored: &c})
		j.wake()
	}
}

// Settle notes that the failure of blamed code is stored: the code may be
// forgotten. Code that is not blamed is ignored.
func (j *Journal) Settle(code Code) {
	code = code.short()
	j.mu.Lock()
	defer j.mu.Unlock()
	for c := range j.blamed {
		if c.covers(code) {
			delete(j.blamed, c)
			j.tell(report{Settled: &c})
		}
	}
}

// sweep forgets code that returned long ago. The caller holds mu.
func (j *Journal) sweep() {
	for len(j.aging) > 0 && (j.aging[0].slot == 0 || time.Since(j.aging[0].since) > lingering) {
		j.forget(j.aging[0])
		j.aging[0] = nil
		j.aging = j.aging[1:]
	}
}

// forget removes code that has returned. The caller holds mu.
func (j *Journal) forget(r *Run) {
	if j.pending[r.code] == r {
		delete(j.pending, r.code)
	}
	rest := slices.DeleteFunc(j.instances[r.code.Instance], func(other *Run) bool { return other == r })
	if j.instances[r.code.Instance] = rest; len(rest) == 0 {
		delete(j.instances, r.code.Instance)
	}
	j.release(r)
}

// take fills a slot, with mu held. It returns 0 when there is none left: what
// has no slot is not suspected when the process dies.
func (j *Journal) take(s state, c Code) (slot uint32) {
	if len(j.unused) == 0 {
		return 0
	}
	last := len(j.unused) - 1
	slot = j.unused[last]
	j.unused = j.unused[:last]
	j.shared.put(slot, s, c)
	return slot
}

// release empties the slot of code once, with mu held.
func (j *Journal) release(r *Run) {
	if r.slot == 0 {
		return
	}
	j.shared.set(r.slot, free)
	j.unused = append(j.unused, r.slot)
	r.slot = 0
}
