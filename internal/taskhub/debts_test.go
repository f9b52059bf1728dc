package taskhub_test

import "testing"

// This is the model of the end of an execution that owes something yet: its
// parent must hear of it, and its row must show it. The holder commits the end
// and then does so, the second process goes on where the holder dies or is
// paused, and a starter starts the same id over. The questions are whether the
// parent always hears, whether the starter believes that the end has not come,
// and whether the row ever shows the end of the wrong execution.

// debtRules are the rules of ending. Each is needed.
type debtRules struct {
	// effectsFirst: the message goes when everything that the end owes is done.
	effectsFirst bool
	// sentinel: whether an execution has ended is asked of the sentinel.
	sentinel bool
	// paid: who starts over an execution first does what its end owes.
	paid bool
	// conditional: the row is changed only while it is the one that the writer has
	// read.
	conditional bool
	// own: nor is it changed where it is, as read, that of another execution than
	// the one that the history says has ended.
	own bool
}

// shown is what the instance row shows, and what the sentinel says.
type shown int8

const (
	firstRuns shown = iota
	firstEnded
	secondRuns
)

// payer is a process that ends the first execution, or goes on with that.
type payer struct {
	at payerAt
	// row is the instance row that it has read.
	row rowRead
}

// rowRead is an instance row as a process has read it.
type rowRead struct {
	version int8
	shows   shown
}

func (s *debtState) readRow() rowRead { return rowRead{s.version, s.row} }

type payerAt int8

const (
	idle payerAt = iota
	hasMessage
	knowsEnd
	hasTold
	hasShown
	finished
)

// starterAt is how far the starter is.
type starterAt int8

const (
	notAsked starterAt = iota
	sawEnd
	refused
	toldFor
	shownFor
	replacedRow
	replacedHistory
)

type debtState struct {
	sentinel, row shown
	version       int8 // of the row
	told          bool // the parent has heard
	message       whereabouts
	holder        payer
	second        payer
	starter       starterAt
	starterRow    rowRead
	knew          bool // the parent had heard before the starter asked
	mixed         bool // the row of the second execution got the first one's end
}

func debtModel(r debtRules) *model[debtState] {
	return &model[debtState]{
		start: debtState{message: withHolder, holder: payer{at: hasMessage}},
		next: func(s debtState) []step[debtState] {
			var l steps[debtState]
			r.pay(&l, s, "holder", withHolder, func(s *debtState) *payer { return &s.holder })
			r.pay(&l, s, "second", withSecond, func(s *debtState) *payer { return &s.second })
			r.starter(&l, s)
			return l
		},
		wrong: func(s debtState) string {
			switch {
			case s.mixed:
				return "the row of the second execution shows the end of the first"
			case s.starter == refused && s.knew:
				return "a start after an end that its starter knows is refused"
			}
			return ""
		},
		owed: func(s debtState) bool { return s.sentinel != firstRuns },
		done: func(s debtState) bool { return s.told },
	}
}

// pay is what a process does with the message of the first execution.
func (r *debtRules) pay(l *steps[debtState], s debtState, name string, mine whereabouts, of func(*debtState) *payer) {
	p := *of(&s)
	do := func(what string, change func(s *debtState, p *payer)) {
		l.add(s, "the "+name+" "+what, func(s *debtState) { change(s, of(s)) })
	}
	to := func(at payerAt) func(*debtState, *payer) {
		return func(_ *debtState, p *payer) { p.at = at }
	}
	remove := func(s *debtState) {
		if s.message == mine {
			s.message = nowhere
		}
	}
	switch p.at {
	case idle:
		if s.message == queued {
			do("takes the message", func(s *debtState, p *payer) { s.message, p.at = mine, hasMessage })
		}
	case hasMessage:
		switch s.sentinel {
		case firstRuns:
			do("commits the end", func(s *debtState, p *payer) { s.sentinel, p.at, p.row = firstEnded, knowsEnd, s.readRow() })
		case firstEnded:
			do("loads the end", func(s *debtState, p *payer) { p.at, p.row = knowsEnd, s.readRow() })
		default:
			do("finds another execution", to(hasShown))
		}
	case knowsEnd:
		do("tells the parent", func(s *debtState, p *payer) { s.told, p.at = true, hasTold })
		if !r.effectsFirst {
			do("removes the message", func(s *debtState, p *payer) { remove(s) })
		}
	case hasTold:
		do("shows the end", func(s *debtState, p *payer) {
			p.at = hasShown
			r.show(s, p.row)
		})
	case hasShown:
		do("removes the message", func(s *debtState, p *payer) { remove(s); p.at = finished })
	}
	if p.at > idle && p.at < finished {
		do("dies", func(s *debtState, p *payer) {
			if s.message == mine {
				s.message = queued
			}
			p.at = finished
			if mine == withSecond {
				// Another process takes its place.
				p.at = idle
			}
		})
		if s.message == mine {
			do("is paused, and its lease is over", func(s *debtState, _ *payer) { s.message = queued })
		}
	}
}

// show writes the end of the first execution into the row.
func (r *debtRules) show(s *debtState, read rowRead) {
	if r.conditional && read.version != s.version || r.own && read.shows == secondRuns {
		return
	}
	s.mixed = s.mixed || s.row == secondRuns
	if s.row == firstRuns {
		s.row = firstEnded
		s.version++
	}
}

// starter starts the same id, once.
func (r *debtRules) starter(l *steps[debtState], s debtState) {
	switch s.starter {
	case notAsked:
		l.add(s, "the starter asks whether the first has ended", func(s *debtState) {
			ended := s.row == firstEnded
			if r.sentinel {
				ended = s.sentinel == firstEnded
			}
			s.knew, s.starterRow = s.told, s.readRow()
			s.starter = refused
			if ended {
				s.starter = sawEnd
				if !r.paid {
					s.starter = shownFor
				}
			}
		})
	case sawEnd:
		l.add(s, "the starter tells the parent", func(s *debtState) { s.told, s.starter = true, toldFor })
	case toldFor:
		l.add(s, "the starter shows the end", func(s *debtState) {
			s.starter = shownFor
			r.show(s, s.starterRow)
			s.starterRow = s.readRow()
		})
	case shownFor:
		l.add(s, "the starter replaces the row", func(s *debtState) {
			if s.starterRow.version != s.version {
				// Somebody has written it: the starter asks again.
				s.starter = notAsked
				return
			}
			s.row, s.starter = secondRuns, replacedRow
			s.version++
		})
	case replacedRow:
		l.add(s, "the second execution makes its first commit", func(s *debtState) {
			s.sentinel, s.starter = secondRuns, replacedHistory
		})
	}
}

func TestEndsAreToldAndShown(t *testing.T) {
	all := debtRules{effectsFirst: true, sentinel: true, paid: true, conditional: true, own: true}
	without := func(change func(*debtRules)) debtRules {
		r := all
		change(&r)
		return r
	}
	for _, c := range []struct {
		name  string
		rules debtRules
		fault bool
	}{
		{"all rules", all, false},
		{"the message goes first", without(func(r *debtRules) { r.effectsFirst = false }), true},
		{"the row says whether it has ended", without(func(r *debtRules) { r.sentinel = false }), true},
		{"the starter does not pay", without(func(r *debtRules) { r.paid = false }), true},
		{"the row of another execution is changed", without(func(r *debtRules) { r.own = false }), true},
		{"any row is changed", without(func(r *debtRules) { r.conditional = false }), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := debtModel(c.rules).explore()
			t.Logf("%d states; %s", found.states, found.fault)
			if (found.fault != "") != c.fault {
				t.Errorf("fault %q, want one: %v", found.fault, c.fault)
			}
		})
	}
}
