package supervise

import "time"

// anyTrial reports whether there is an instance to try, now or later.
func (d *docket) anyTrial() bool {
	for c := range d.suspects {
		if c.Instance != "" {
			return true
		}
	}
	return false
}

// isSuspect reports whether an instance has to be alone.
func (d *docket) isSuspect(instance string) bool {
	for c := range d.suspects {
		if c.Instance == instance {
			return true
		}
	}
	return false
}

// next is the instance whose trial is to begin: of those that have is true of,
// the one that is ready and was suspected of the most deaths, of equal ones the
// one that has waited longest. Without one, at is when one will be ready, the zero time when none will.
func (d *docket) next(now time.Time, have func(instance string) bool) (instance string, at time.Time) {
	var best *suspect
	for _, c := range d.order() {
		s := d.suspects[c]
		switch {
		case c.Instance == "" || !have(c.Instance):
		case s.ready.After(now):
			if at.IsZero() || s.ready.Before(at) {
				at = s.ready
			}
		case best == nil || len(s.crashes) > len(best.crashes) ||
			len(s.crashes) == len(best.crashes) && s.ready.Before(best.ready):
			best, instance = s, c.Instance
		}
	}
	if best != nil {
		at = now
	}
	return instance, at
}

// idleTrial is how long a trial goes on that holds no message.
const idleTrial = 5 * time.Second

// trialSight is what is known of a trial that goes on.
type trialSight struct {
	// suspect means that the instance is not acquitted, others that another trial could
	// begin.
	suspect, others bool
	age, limit      time.Duration
	// handed means that the process was given messages, holds that it has one now, runs
	// that code of it runs or has not stored what it did.
	handed, holds, runs bool
}

// trialEnd is what becomes of a trial that goes on.
type trialEnd int

const (
	trialGoesOn trialEnd = iota
	// trialOver: the instance is acquitted, or its message is another process's by now, so
	// that nothing is left to wait for, and others need not wait for that.
	trialOver
	// trialIdle: no code of the instance ran, as nothing was there for it to do. That says
	// nothing about the code: its next trial waits a while, and is no longer for that.
	trialIdle
	// trialCut: it took so long that others have their turn. Its next one is longer.
	trialCut
)

// judge decides what becomes of the trial.
func (t trialSight) judge() trialEnd {
	switch {
	case !t.suspect, t.others && t.handed && !t.holds && !t.runs:
		return trialOver
	case t.others && t.age > t.limit, t.age > idleTrial && !t.holds && t.runs:
		return trialCut
	case t.age > idleTrial && !t.holds:
		return trialIdle
	}
	return trialGoesOn
}

// limit is how long the trial of an instance may keep others waiting.
func (d *docket) limit(instance string) time.Duration {
	return firstTrial << min(d.doublings(instance)-1, 20)
}

// cutShort means that a trial was ended because others wait.
func (d *docket) cutShort(instance string, now time.Time) { d.backOff(instance, true, now) }

// backOff puts the next trial of an instance off. cut means that nothing was
// learned in the last one.
func (d *docket) backOff(instance string, cut bool, now time.Time) {
	if cut {
		for c, s := range d.suspects {
			if c.Instance == instance {
				s.cut++
			}
		}
	}
	wait := min(firstTrial<<min(max(d.doublings(instance)-2, 0), 20), longestBackOff)
	for c, s := range d.suspects {
		if c.Instance == instance {
			s.ready = now.Add(wait)
		}
	}
}

// doublings counts what lengthens the trials of an instance, from 1 on.
func (d *docket) doublings(instance string) int {
	most := 1
	for c, s := range d.suspects {
		if c.Instance == instance {
			most = max(most, len(s.crashes)+s.cut)
		}
	}
	return most
}
