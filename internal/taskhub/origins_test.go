package taskhub_test

import "testing"

// This is the model of whom a telling is for. One instance id is started twice:
// the first execution is purged or has ended, and the second takes its place. A
// telling may be for either, or for whichever is current. The questions are
// whether one that is for the second can be dropped, and whether one that is for
// the first can reach the second.

// originRules are the rules of addressing. Each is needed.
type originRules struct {
	// named: a telling names the execution for which it is, where the teller knows
	// it, and only that one takes it in.
	named bool
	// kept: the name is of the execution that was started, which continue-as-new
	// does not change.
	kept bool
	// listFirst: a process that finds no instance lists the rows before it reads
	// the instance's row, and drops only what it has listed.
	listFirst bool
	// age: the first commit of an execution drops rows without a name that were
	// stored before it was started, and takes in those that came later.
	age bool
	// listed: a purge deletes only rows that it has listed before it saw the
	// instance's row to be the one that it is about.
	listed bool
}

// execution is one of those that are started, or none.
type execution int8

const (
	none execution = iota
	firstExecution
	secondExecution
)

// stage is how far the second execution is.
type stage int8

const (
	notStarted stage = iota
	rowInserted
	firstCommitted
)

// fate is what became of the telling.
type fate int8

const (
	untold fate = iota
	inInbox
	takenByFirst
	takenBySecond
	dropped
)

// originState is a moment. The first execution runs at the start.
type originState struct {
	// current is whose row the instance row is; marked reports that a purge has begun.
	current execution
	marked  bool
	// ended reports that the first execution has ended, renewed that it continued
	// as new; second is how far the second one is.
	ended, renewed bool
	second         stage

	// toldTo is the execution that the teller has read; none: it has not. asked
	// means that it has.
	asked  bool
	toldTo execution
	// meant is who was current when the row was stored: for whom a telling without
	// a name is.
	meant execution
	row   fate

	// The purge of the first execution and the process that finds no instance.
	purge, cleaner visitor
	awake          bool // a message of the telling waits to be taken
}

// visitor lists the inbox and reads the instance row, in its order, and deletes.
type visitor struct {
	at   int8 // 0: before, 1: after the first step, 2: after the second, 3: done
	saw  bool // the row of the telling was listed
	read execution
}

func originModel(r originRules) *model[originState] {
	return &model[originState]{
		start: originState{current: firstExecution},
		next: func(s originState) []step[originState] {
			var l steps[originState]
			r.teller(&l, s)
			r.life(&l, s)
			r.purger(&l, s)
			r.worker(&l, s)
			r.cleaner(&l, s)
			return l
		},
		wrong: func(s originState) string {
			switch {
			case s.row == takenBySecond && s.addressee() == firstExecution:
				return "the second execution takes in what was for the first"
			case s.row == dropped && s.addressee() == secondExecution:
				return "what was for the second execution is dropped"
			case s.row == dropped && s.addressee() == firstExecution && s.current == firstExecution && !s.ended && !s.marked:
				return "what was for the first execution is dropped while it runs"
			}
			return ""
		},
		owed: func(s originState) bool { return s.row == inInbox && s.addressee() == secondExecution },
		done: func(s originState) bool { return s.row == takenBySecond },
	}
}

// addressee is for whom the telling is.
func (s originState) addressee() execution {
	if s.toldTo != none {
		return s.toldTo
	}
	return s.meant
}

func (r *originRules) teller(l *steps[originState], s originState) {
	if s.row != untold {
		return
	}
	if !s.asked {
		l.add(s, "the teller reads the instance row", func(s *originState) { s.asked, s.toldTo = true, s.current })
	}
	l.add(s, "the telling is stored", func(s *originState) {
		s.asked, s.row, s.meant, s.awake = true, inInbox, s.current, true
	})
}

// life is what happens to the executions.
func (r *originRules) life(l *steps[originState], s originState) {
	if s.current == firstExecution && !s.ended {
		l.add(s, "the first ends", func(s *originState) { s.ended = true })
		if !s.renewed {
			l.add(s, "the first continues as new", func(s *originState) { s.renewed = true })
		}
	}
	start := func(s *originState) { s.current, s.second = secondExecution, rowInserted }
	if s.second == notStarted {
		switch {
		case s.current == none:
			l.add(s, "the second is started", start)
		case s.ended && !s.marked:
			l.add(s, "the second is started over the first", start)
		}
	}
	if s.second == rowInserted {
		l.add(s, "the second makes its first commit", func(s *originState) {
			s.second = firstCommitted
			r.see(s, secondExecution, true)
		})
	}
}

// see is a commit of an execution that has looked into the inbox.
func (r *originRules) see(s *originState, by execution, first bool) {
	if s.row != inInbox {
		return
	}
	mine := !r.named || s.toldTo == none || s.toldTo == by && (r.kept || by == secondExecution || !s.renewed)
	if r.named && s.toldTo == none && first {
		// Rows without a name: the store's time says which came before the start.
		mine = r.age && s.meant == by
	}
	switch {
	case !mine:
		s.row = dropped
	case by == firstExecution:
		s.row = takenByFirst
	default:
		s.row = takenBySecond
	}
}

// worker is the process that gets the message of the telling. It is repeated until it is
// done, so that a process that dies is none of the model's steps.
func (r *originRules) worker(l *steps[originState], s originState) {
	switch {
	case !s.awake:
	case s.current == firstExecution && !s.ended && !s.marked:
		l.add(s, "the first looks and commits", func(s *originState) { r.see(s, firstExecution, false) })
	case s.second == firstCommitted:
		l.add(s, "the second looks and commits", func(s *originState) { r.see(s, secondExecution, false) })
	}
}

// purger purges the first execution: it marks the row, lists, checks, deletes,
// and deletes the row.
func (r *originRules) purger(l *steps[originState], s originState) {
	list := func(s *originState) { s.purge.saw = s.row == inInbox }
	check := func(s *originState) bool { return s.current == firstExecution }
	switch s.purge.at {
	case 0:
		if s.current == firstExecution && s.ended {
			l.add(s, "the purge marks the row", func(s *originState) { s.marked, s.purge.at = true, 1 })
		}
	case 1:
		l.add(s, "the purge lists", func(s *originState) { list(s); s.purge.at = 2 })
	case 2:
		l.add(s, "the purge checks the row", func(s *originState) {
			s.purge.at = 3
			if !check(s) {
				s.purge.at = 9
			}
		})
	case 3:
		l.add(s, "the purge deletes", func(s *originState) {
			if s.row == inInbox && (s.purge.saw || !r.listed) {
				s.row = dropped
			}
			s.purge.at = 4
		})
	case 4:
		l.add(s, "the purge deletes the row", func(s *originState) {
			s.purge.at = 9
			if s.current == firstExecution {
				s.current, s.marked = none, false
			}
		})
	}
	if s.purge.at == 2 && s.current == firstExecution {
		// Another purge of the same row may be faster.
		l.add(s, "another purge deletes the row", func(s *originState) { s.current, s.marked = none, false })
	}
	if s.purge.at == 3 && s.current == firstExecution {
		l.add(s, "another purge deletes the row", func(s *originState) { s.current, s.marked = none, false })
	}
}

// cleaner is a process that got a message and found no instance.
func (r *originRules) cleaner(l *steps[originState], s originState) {
	list := func(s *originState) { s.cleaner.saw = s.row == inInbox }
	read := func(s *originState) { s.cleaner.read = s.current }
	steps := []func(*originState){list, read}
	if !r.listFirst {
		steps = []func(*originState){read, list}
	}
	switch s.cleaner.at {
	case 0:
		// The message may be that of another telling.
		if s.current == none {
			l.add(s, "a worker finds no instance", func(s *originState) { s.cleaner.at = 1 })
		}
	case 1, 2:
		l.add(s, "it reads on", func(s *originState) { steps[s.cleaner.at-1](s); s.cleaner.at++ })
	case 3:
		l.add(s, "it deletes what is not the current execution's", func(s *originState) {
			theirs := s.cleaner.read != none && (s.toldTo == none || s.toldTo == s.cleaner.read)
			if s.row == inInbox && s.cleaner.saw && !theirs {
				s.row = dropped
			}
			s.cleaner = visitor{at: 9}
		})
	}
}

func TestTellingsReachTheirExecution(t *testing.T) {
	all := originRules{named: true, kept: true, listFirst: true, age: true, listed: true}
	without := func(change func(*originRules)) originRules {
		r := all
		change(&r)
		return r
	}
	for _, c := range []struct {
		name  string
		rules originRules
		fault bool
	}{
		{"all rules", all, false},
		{"no name", without(func(r *originRules) { r.named = false }), true},
		{"the name of an execution that continue-as-new replaces", without(func(r *originRules) { r.kept = false }), true},
		{"the instance row is read first", without(func(r *originRules) { r.listFirst = false }), true},
		{"the first commit drops all rows without a name", without(func(r *originRules) { r.age = false }), true},
		{"a purge deletes what it has not listed", without(func(r *originRules) { r.listed = false }), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := originModel(c.rules).explore()
			t.Logf("%d states; %s", found.states, found.fault)
			if (found.fault != "") != c.fault {
				t.Errorf("fault %q, want one: %v", found.fault, c.fault)
			}
		})
	}
}
