package programs

import "fmt"

// races are the first of calls, children, timers and events that are late, or
// never come.
func races(m *maker) Test {
	var t Test
	var steps []step
	for i := range 1 + m.IntN(3) {
		event := fmt.Sprint("E", i)
		first, raised := m.winner(event)
		if raised {
			t.Script = append(t.Script, raise(event, m.present()))
		}
		s := step{Do: "any"}
		for range 1 + m.IntN(3) {
			s.Of = append(s.Of, m.loser(event))
		}
		at := m.IntN(len(s.Of) + 1)
		s.Of = append(s.Of[:at:at], append([][]step{first}, s.Of[at:]...)...)
		if m.some(0.3) {
			steps = append(steps, step{Do: "all", Of: [][]step{{s}, m.calls(2, true)}})
		} else {
			steps = append(steps, try([]step{s}))
		}
		steps = append(steps, m.before()...)
	}
	t.Instances = []Instance{{ID: m.id(""), Steps: steps}}
	return t
}

// winner is a lane that comes to its end, and whether it needs the event.
func (m *maker) winner(event string) (lane []step, raised bool) {
	switch m.IntN(7) {
	case 0:
		return []step{wait(event)}, true
	case 1:
		return []step{wait(event), call("Give", m.value())}, true
	case 2:
		return []step{timer(m.IntN(300))}, false
	case 3:
		return []step{waitFor("never", 1+m.IntN(300))}, false
	case 4:
		return []step{child("", m.before()...), call("Give", m.value())}, false
	case 5:
		return append(m.before(), call("Fail", m.text())), false
	default:
		return []step{call("Give", m.value())}, false
	}
}

// loser is a lane that is late.
func (m *maker) loser(event string) []step {
	late := int(m.late.Milliseconds())
	switch m.IntN(4) {
	case 0:
		return append(m.before(), timer(late))
	case 1:
		return []step{waitFor("never"+event, late), call("Fail", "too late")}
	case 2:
		return []step{slow(late, "late")}
	default:
		return []step{child("", timer(late))}
	}
}
