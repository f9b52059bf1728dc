package supervise

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

const (
	// suspicion is how long code stays suspect that does not come again. The
	// host may hold a message for ten minutes.
	suspicion = 30 * time.Minute
	// requestSuspicion is the same for requests, which the host repeats at once, and
	// for messages of triggers.
	requestSuspicion = 10 * time.Minute
	// maxBlamed bounds what is remembered of code whose failure was not stored.
	maxBlamed = 10_000
	// firstTrial is how long the first trial of an instance may keep others
	// waiting, and its first back-off. Both double with each death and each trial
	// that was cut short; the back-off to longestBackOff at most.
	firstTrial     = 10 * time.Second
	longestBackOff = 10 * time.Minute
	// maxAccused bounds how many deaths elsewhere count.
	maxAccused = 10
	// convictingKills is the number of deaths by SIGKILL that convict code that was
	// alone at each of them: one of them may come from outside.
	convictingKills = 3
)

// docket is what the supervisor knows of the deaths of its children: who is
// suspect, who is to blame, and whose trial is next. It has no clock and no I/O.
//
// What ran when a process died is suspect. Suspects run alone from then on, an
// instance at a time, until they have stored what they did (acquit) or have
// ended the process once more (died). Nothing but a death counts against code:
// not how often its message was delivered, and not how long it took.
type docket struct {
	crashes  int
	suspects map[Code]*suspect
	blamed   map[Code]blame
}

// suspect is code that ran when a process died.
type suspect struct {
	crashes []int // the deaths that it is suspected of
	kills   int   // SIGKILLs of a process in which it ran alone
	cut     int   // trials that were cut short, or in which it did not run
	since   time.Time
	ready   time.Time // when its next trial may begin
}

type blame struct {
	reason string
	since  time.Time
}

// death is the end of one child that was not asked for.
type death struct {
	// trial is the instance that was alone in the process; empty for the process
	// that serves everybody.
	trial   string
	records []record
	// killed means that the process was ended by SIGKILL and that nothing shows
	// that it had taken too much memory.
	killed bool
	reason string
}

func newDocket() *docket { return &docket{suspects: map[Code]*suspect{}, blamed: map[Code]blame{}} }

// died draws the conclusions from a death: what is to blame for it, and what is
// suspect.
func (d *docket) died(e death, now time.Time) (guilty, suspected []Code) {
	d.expire(now)
	d.crashes++
	if e.trial != "" {
		guilty, suspected = d.diedAlone(e, now)
	} else {
		guilty, suspected = d.diedAmongOthers(e, now)
	}
	for _, c := range guilty {
		d.convict(c, e.reason, now)
	}
	if len(guilty) > 0 {
		suspected = nil
	}
	return guilty, suspected
}

// diedAmongOthers is the death of the process that serves everybody. A request
// that was on trial is to blame. All else that ran is suspect; code that has left
// something behind only where nothing else ran, and then it is to blame if it is
// the only one.
func (d *docket) diedAmongOthers(e death, now time.Time) (guilty, suspected []Code) {
	for _, c := range with(e.records, trial) {
		s := d.suspect(c, now)
		if e.killed {
			s.kills++
		}
		if !e.killed || s.kills >= convictingKills {
			guilty = append(guilty, c)
		}
	}
	if len(guilty) > 0 {
		return guilty, nil
	}
	suspected = with(e.records, running, returned, broke, trial)
	if len(suspected) == 0 {
		suspected = with(e.records, behind)
		if len(suspected) == 1 && !e.killed {
			return suspected, nil
		}
	}
	for _, c := range suspected {
		d.suspect(c, now)
	}
	return nil, suspected
}

// diedAlone is the death of a process in which one instance was on trial. What
// ran is to blame when it ran at an earlier death too; a SIGKILL without a sign
// of its cause counts at the third time. Code that is suspect for the first time
// is tried again at once.
func (d *docket) diedAlone(e death, now time.Time) (guilty, suspected []Code) {
	for _, states := range [][]state{{broke}, {running, trial}, {returned}, {behind}} {
		if suspected = with(e.records, states...); len(suspected) > 0 {
			break
		}
	}
	again := len(suspected) == 0
	for _, c := range suspected {
		again = len(d.suspect(c, now).crashes) > 1 || again
	}
	if c, found := d.likeliest(suspected); found {
		s := d.suspects[c]
		if e.killed {
			s.kills++
		}
		if !e.killed && len(s.crashes) > 1 || s.kills >= convictingKills {
			guilty = []Code{c}
		}
	}
	if again {
		d.backOff(e.trial, len(suspected) == 0, now)
	}
	return guilty, suspected
}

// likeliest is the one that was there at the most deaths, of several codes of an
// instance that was alone. When they are always there together, it is one of them
// all the same, from the third time on: an activity rather than the turn that took
// its result.
func (d *docket) likeliest(codes []Code) (c Code, found bool) {
	most, equals := 0, 0
	for _, other := range codes { // activities come first
		switch n := len(d.suspects[other].crashes); {
		case n > most:
			c, most, equals = other, n, 1
		case n == most:
			equals++
		}
	}
	return c, equals == 1 || most > 2
}

// with are the codes whose records have one of the states, each once, in a fixed
// order.
func with(records []record, states ...state) (out []Code) {
	for _, r := range records {
		if slices.Contains(states, r.state) && !slices.Contains(out, r.code) {
			out = append(out, r.code)
		}
	}
	slices.SortFunc(out, compareCodes)
	return out
}

func compareCodes(a, b Code) int {
	return cmp.Or(cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Execution, b.Execution), cmp.Compare(a.Position, b.Position))
}

// suspect makes the code one of the last death.
func (d *docket) suspect(c Code, now time.Time) *suspect {
	s := d.suspects[c]
	if s == nil {
		s = &suspect{}
		d.suspects[c] = s
	}
	if !slices.Contains(s.crashes, d.crashes) {
		s.crashes = append(s.crashes, d.crashes)
	}
	s.since = now
	return s
}

// convict blames the code. It explains the deaths at which it ran: what is
// suspected of no other is free. An instance that fails takes all that it runs
// with it.
func (d *docket) convict(c Code, reason string, now time.Time) {
	explained := []int{d.crashes}
	if s := d.suspects[c]; s != nil {
		explained = append(explained, s.crashes...)
	}
	for other, s := range d.suspects {
		s.crashes = slices.DeleteFunc(s.crashes, func(crash int) bool { return slices.Contains(explained, crash) })
		if len(s.crashes) == 0 || c.turns() && other.Instance == c.Instance {
			delete(d.suspects, other)
		}
	}
	delete(d.suspects, c)
	d.blamed[c] = blame{reason: reason, since: now}
}

// accuse makes code suspect of deaths elsewhere. It reports whether that is new.
func (d *docket) accuse(a Suspect, now time.Time) bool {
	if _, known := d.suspects[a.Code]; known || a.Deaths < 1 {
		return false
	}
	for range min(a.Deaths, maxAccused) {
		d.crashes++
		d.suspect(a.Code, now)
	}
	return true
}

// acquit frees the code: what it did is stored, and it will not run again. It
// reports whether it was suspect.
func (d *docket) acquit(c Code) bool {
	_, known := d.suspects[c]
	delete(d.suspects, c)
	return known
}

// settle forgets blame: the failure is stored.
func (d *docket) settle(c Code) { delete(d.blamed, c) }

func (d *docket) expire(now time.Time) {
	for c, s := range d.suspects {
		if age := now.Sub(s.since); age > suspicion || age > requestSuspicion && c.Kind == Request {
			delete(d.suspects, c)
		}
	}
	for len(d.blamed) > maxBlamed {
		oldest := slices.MinFunc(slices.Collect(maps.Keys(d.blamed)), func(a, b Code) int {
			return d.blamed[a].since.Compare(d.blamed[b].since)
		})
		delete(d.blamed, oldest)
	}
}

// order are the suspects in a fixed order.
func (d *docket) order() []Code { return slices.SortedFunc(maps.Keys(d.suspects), compareCodes) }

// briefing is what the children are told.
func (d *docket) briefing() briefing {
	b := briefing{}
	for _, c := range d.order() {
		b.Suspects = append(b.Suspects, Suspect{Code: c, Deaths: len(d.suspects[c].crashes)})
	}
	for _, c := range slices.SortedFunc(maps.Keys(d.blamed), compareCodes) {
		b.Blamed = append(b.Blamed, verdict{Code: c, Reason: d.blamed[c].reason})
	}
	return b
}
