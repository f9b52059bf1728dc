package programs

// strangers are events for instances that are not there yet, or not any more.
func strangers(m *maker) Test {
	other := m.id("-other")
	send := step{Do: "send", To: other, Event: "Go", Data: encode(m.present()), Quiet: true}
	// asks reports whether an event comes that was not meant for it.
	asks := append(m.before(), waitFor("Go", 400), waitFor("go", 100))
	nothing := completed(nil, append(results(asks[:len(asks)-2], nil), "timeout", "timeout"))
	ends, unknown := Action{Op: Ends}, wants(raise("Go", 1), "404")
	start, bye := of(other, Action{Op: Start})[0], of(other, ends)[0]
	switch m.IntN(6) {
	case 0: // raised before there is anything
		return m.two(m.before(), asks, of(other, unknown, Action{Op: Start}, ends))
	case 1: // raised after the end, and after the purge
		gone := of(other, Action{Op: Start}, ends, wants(raise("Go", 1), "410"), Action{Op: Purge}, unknown, Action{Op: Start}, ends)
		return m.two(m.before(), asks, gone)
	case 2: // sent to what is not there yet
		t := m.two([]step{send, send, constant("sent")}, asks, []Action{ends, pause(int(m.late.Milliseconds())), start, bye})
		t.Instances[1].Want = nothing
		return t
	case 3: // sent to what has ended
		script := []Action{start, bye, raise("Now", 1), ends, pause(int(m.late.Milliseconds())), start, bye}
		t := m.two([]step{wait("Now"), send, constant("sent")}, asks, script)
		t.Instances[1].Want = nothing
		return t
	case 4: // raised at once after the start
		first, second := m.present(), m.present()
		taken := append(m.before(), wait("Go"), wait("GO"))
		return m.two(m.before(), taken, []Action{start, of(other, raise("go", first))[0], of(other, raise("Go", second))[0], bye})
	default: // sent while the receiver works, and is purged before it could be told twice
		taken := append([]step{mark("ready")}, append(m.before(), wait("Go"))...)
		ready := of(other, until("ready"))[0]
		again := of(other, Action{Op: Purge}, unknown)
		t := m.two([]step{wait("Now"), send, constant("sent")}, taken, append([]Action{start, ready, raise("Now", 1), bye}, again...))
		t.Instances[1].Want = &Outcome{}
		return t
	}
}

// two is a test of a program, and of another one that the script starts.
func (m *maker) two(steps, other []step, script []Action) Test {
	t := m.one(steps, script...)
	t.Instances = append(t.Instances, Instance{ID: m.id("-other"), Later: true, Steps: other})
	return t
}
