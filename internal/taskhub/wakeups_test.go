package taskhub_test

import (
	"testing"
)

// This is the model of how a telling is acknowledged: its teller, the process
// that holds the instance, and a second process that takes messages whose lease
// is over. Every process that looks finds the row in the inbox; a message makes a
// process look. The question is whether a telling that was acknowledged can lie in an
// inbox into which no process will look.

// ackRules are the rules of acknowledging. Each is needed.
type ackRules struct {
	// after: the message is sent, or is found not to be needed, when the row is
	// known to be stored, and not beside that.
	after bool
	// closing: letting go of a message begins before the last look. A message that
	// is being let go of spares no telling its own.
	closing bool
	// deadline: nor does one whose lease is, by the service's time and a margin,
	// about to be over.
	deadline bool
	// again: a telling that turns out to be told already sends its message all the
	// same.
	again bool
	// looks: only a message whose holder looks before removing it spares one.
	looks bool
}

// where a message is.
type whereabouts int8

const (
	nowhere whereabouts = iota
	queued
	withHolder
	withSecond
)

// tellerAt is how far the teller is.
type tellerAt int8

const (
	telling tellerAt = iota
	inFlight
	stored
	acknowledged
	gaveUp
)

// holderAt is how far the holder is with the message that it has.
type holderAt int8

const (
	working holderAt = iota
	closing
	foundNothing
	letGo
	dead
)

// wakeState is a moment. The first message is with the holder at the start; the
// second is the teller's own.
type wakeState struct {
	teller   tellerAt
	tries    int8
	row      int8 // 0: not stored, 1: in the inbox, 2: taken in
	spared   bool // the teller has decided that it sends no message
	sent     bool // the teller has sent its message
	first    whereabouts
	own      whereabouts
	holder   holderAt
	late     bool        // the holder's deadline is over
	second   whereabouts // which message the second process has: withHolder is the first one, queued its own
	emptied  bool        // the second process has looked and found nothing
	blind    bool        // the first message is one whose holder does not look
	isRemote bool        // the teller is in a process of its own
}

// wakeModel builds the model. remote puts the teller into a process that has no
// message; blind makes the first message a start, a timer or a result.
func wakeModel(r ackRules, remote, blind bool) *model[wakeState] {
	return &model[wakeState]{
		start: wakeState{first: withHolder, blind: blind, isRemote: remote},
		next: func(s wakeState) []step[wakeState] {
			var l steps[wakeState]
			r.teller(&l, s)
			r.holder(&l, s)
			second(&l, s)
			return l
		},
		wrong: func(wakeState) string { return "" },
		owed:  func(s wakeState) bool { return s.teller == acknowledged },
		done:  func(s wakeState) bool { return s.row == 2 },
	}
}

// spares reports whether the holder's message makes another one unnecessary, as
// the teller in its process sees it.
func (r *ackRules) spares(s wakeState) bool {
	held := s.holder == working || !r.closing && (s.holder == closing || s.holder == foundNothing)
	return !s.isRemote && held && (!s.late || !r.deadline) && (!s.blind || !r.looks)
}

func (r *ackRules) teller(l *steps[wakeState], s wakeState) {
	if s.holder == dead && !s.isRemote && s.teller < acknowledged {
		return
	}
	send := func(s *wakeState) { s.sent, s.own = true, queued }
	switch s.teller {
	case telling:
		l.add(s, "the teller begins", func(s *wakeState) {
			s.teller = inFlight
			s.spared = !r.after && r.spares(*s)
		})
	case inFlight:
		if s.row == 0 {
			l.add(s, "the row is stored", func(s *wakeState) { s.row = 1 })
		} else {
			l.add(s, "the teller hears that it is stored", func(s *wakeState) {
				s.teller = stored
				if s.tries > 0 && !r.again {
					s.teller = acknowledged
				}
			})
		}
		if !r.after && !s.spared && !s.sent {
			l.add(s, "the teller sends its message beside the row", send)
		}
	case stored:
		switch {
		case s.spared, s.sent, r.after && r.spares(s):
			l.add(s, "the teller acknowledges", func(s *wakeState) { s.teller = acknowledged })
		default:
			l.add(s, "the teller sends its message", send)
		}
	}
	if s.teller > telling && s.teller < acknowledged && s.isRemote {
		l.add(s, "the teller dies", func(s *wakeState) {
			s.teller, s.sent, s.spared = gaveUp, false, false
			if s.tries == 0 {
				s.teller = telling
			}
			s.tries++
		})
	}
}

// holder is the process that has the first message. Its lease may be over
// without it noticing: it was paused.
func (r *ackRules) holder(l *steps[wakeState], s wakeState) {
	if s.holder == dead || s.holder == letGo {
		return
	}
	take := func(s *wakeState) {
		if s.row == 1 {
			s.row, s.holder = 2, working
		} else {
			s.holder = foundNothing
		}
	}
	switch {
	case s.holder == working && s.blind:
		l.add(s, "the holder is done, and does not look", func(s *wakeState) { s.holder = foundNothing })
	case s.holder == working:
		l.add(s, "the holder begins to let go", func(s *wakeState) { s.holder = closing })
	case s.holder == closing:
		l.add(s, "the holder looks", take)
	default:
		l.add(s, "the holder removes its message", func(s *wakeState) {
			s.holder = letGo
			if s.first == withHolder {
				s.first = nowhere
			}
		})
	}
	if !s.late {
		l.add(s, "the holder's deadline is over", func(s *wakeState) { s.late = true })
	}
	if s.first == withHolder && (s.late || !r.deadline) {
		l.add(s, "the holder's lease is over", func(s *wakeState) { s.first = queued })
	}
	l.add(s, "the holder dies", func(s *wakeState) {
		s.holder = dead
		if s.first == withHolder {
			s.first = queued
		}
	})
}

// second takes whatever message is in the queue, looks, and removes it when
// there is nothing. Where it dies or is paused for too long the message is in the
// queue again.
func second(l *steps[wakeState], s wakeState) {
	switch {
	case s.second == nowhere && s.first == queued:
		l.add(s, "the second takes the first message", func(s *wakeState) { s.second, s.first = withHolder, withSecond })
	case s.second != nowhere && !s.emptied:
		l.add(s, "the second looks", func(s *wakeState) {
			if s.row == 1 {
				s.row = 2
			} else {
				s.emptied = true
			}
		})
	case s.second != nowhere:
		l.add(s, "the second removes its message", func(s *wakeState) {
			if s.second == withHolder && s.first == withSecond {
				s.first = nowhere
			}
			if s.second == queued && s.own == withSecond {
				s.own = nowhere
			}
			s.second, s.emptied = nowhere, false
		})
	}
	if s.second == nowhere && s.own == queued {
		l.add(s, "the second takes the teller's message", func(s *wakeState) { s.second, s.own = queued, withSecond })
	}
	requeue := func(s *wakeState) {
		if s.first == withSecond {
			s.first = queued
		}
		if s.own == withSecond {
			s.own = queued
		}
	}
	if s.first == withSecond || s.own == withSecond {
		l.add(s, "the second's lease is over", requeue)
		l.add(s, "the second dies", func(s *wakeState) {
			requeue(s)
			s.second, s.emptied = nowhere, false
		})
	}
}

func TestAcknowledgedTellingsAreSeen(t *testing.T) {
	all := ackRules{after: true, closing: true, deadline: true, again: true, looks: true}
	without := func(change func(*ackRules)) ackRules {
		r := all
		change(&r)
		return r
	}
	for _, c := range []struct {
		name  string
		rules ackRules
		lost  bool
	}{
		{"all rules", all, false},
		{"message beside the row", without(func(r *ackRules) { r.after = false }), true},
		{"letting go after the last look", without(func(r *ackRules) { r.closing = false }), true},
		{"no deadline", without(func(r *ackRules) { r.deadline = false }), true},
		{"told already is acknowledged", without(func(r *ackRules) { r.again = false }), true},
		{"any message spares one", without(func(r *ackRules) { r.looks = false }), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var fault string
			for _, remote := range []bool{false, true} {
				for _, blind := range []bool{false, true} {
					found := wakeModel(c.rules, remote, blind).explore()
					t.Logf("remote %v, blind %v: %d states; %s", remote, blind, found.states, found.fault)
					if fault == "" {
						fault = found.fault
					}
				}
			}
			if (fault != "") != c.lost {
				t.Errorf("fault %q, want one: %v", fault, c.lost)
			}
		})
	}
}
