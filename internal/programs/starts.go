package programs

import "slices"

// starts are starts of an id that is taken: by a program that runs, is
// suspended, is a child, or has ended in any way.
func starts(m *maker) Test {
	begin := append(m.before(), mark("one"), wait("Go"))
	one, ends, taken := until("one"), Action{Op: Ends}, wants(Action{Op: Start}, "409")
	again := []Action{{Op: Start}, one, raise("Go", 7), ends}
	if m.some(0.5) {
		again = slices.Delete(again, 1, 2) // the event comes before the start was seen to have begun
	}
	switch m.IntN(6) {
	case 0: // it runs
		return m.one(begin, one, taken, taken, raise("Go", 7))
	case 1: // it is suspended
		return m.one(begin, one, Action{Op: Suspend}, taken, Action{Op: Resume}, raise("Go", 7))
	case 2: // it has completed
		return m.one(begin, append([]Action{one, raise("Go", 7), ends}, again...)...)
	case 3: // it has failed
		return m.one(append([]step{m.failing(1, 0, m.value())}, begin...), append([]Action{ends, wants(Action{Op: Is}, "Failed")}, again...)...)
	case 4: // it was terminated
		return m.one(begin, append([]Action{one, {Op: Terminate, Reason: "enough"}, ends}, again...)...)
	default: // it is a child
		c := m.id("-c")
		t := m.one([]step{child("-c", begin...)}, of(c, one, taken, raise("Go", 7))...)
		t.Instances = append(t.Instances, Instance{ID: c, Later: true, Steps: begin})
		return t
	}
}
