package programs

// calls are sequences, lanes side by side, children, retries, and failures that
// are caught at any depth.
func calls(m *maker) Test { return m.one(m.calls(0, false)) }

// calls makes a few steps; depth bounds how far they are nested. In a lane the
// order of custom statuses is not certain, so there are none.
func (m *maker) calls(depth int, lane bool) []step {
	n := 3
	if depth == 0 {
		n = 5
	}
	steps := make([]step, 1+m.IntN(n))
	for i := range steps {
		if m.IntN(13) < 6 || depth > 2 {
			steps[i] = m.flat(depth, lane)
		} else {
			steps[i] = m.nested(depth, lane)
		}
	}
	return steps
}

// flat makes a step without steps of its own.
func (m *maker) flat(depth int, lane bool) step {
	switch m.IntN(8) {
	case 0, 1:
		return call("Give", m.value())
	case 2:
		return constant(m.value())
	case 3:
		return call("Hello", pick(m, "w1", "", "ünï"))
	case 4:
		if lane {
			return constant(m.IntN(9))
		}
		return step{Do: "status", Value: m.present()}
	case 5:
		if depth == 0 {
			return step{Do: "parent"}
		}
		return step{Do: "guids"}
	case 6:
		return timer(m.IntN(400))
	default:
		return slow(m.IntN(120), m.IntN(9))
	}
}

func (m *maker) nested(depth int, lane bool) step {
	switch m.IntN(8) {
	case 0:
		return m.caught(depth, lane)
	case 1:
		return child("", m.calls(depth+1, lane)...)
	case 2:
		return try([]step{child("", append(m.calls(depth+1, lane), throw(m.text()))...)})
	case 3:
		return m.lanes(depth)
	case 4:
		return step{Do: "repeat", N: 1 + m.IntN(3), Steps: m.calls(depth+1, lane)}
	case 5:
		return try([]step{m.failing(m.IntN(4), 1+m.IntN(3), m.value())})
	case 6:
		s := child("", m.failing(m.IntN(4), 0, m.value()))
		s.Attempts, s.FirstMS = 1+m.IntN(3), 100
		return try([]step{s})
	default:
		return m.fan()
	}
}

func (m *maker) caught(depth int, lane bool) step {
	failure := pick(m, throw(m.text()), call("Fail", m.text()))
	s := try(append(m.calls(depth+1, lane), failure))
	if m.some(0.5) {
		s.Catch = m.calls(depth+1, lane)
	}
	return s
}

func (m *maker) lanes(depth int) step {
	s := step{Do: "all", Of: make([][]step, 1+m.IntN(4))}
	for i := range s.Of {
		if m.some(0.8) {
			s.Of[i] = m.calls(depth+1, true)
		} else {
			s.Of[i] = []step{call("Fail", m.text())}
		}
	}
	return s
}

// fan calls an activity many times at once.
func (m *maker) fan() step {
	s := step{Do: "all", Of: make([][]step, 3+m.IntN(20))}
	for i := range s.Of {
		s.Of[i] = []step{call("Give", i)}
	}
	return s
}
