package programs

import "slices"

// orphans are children that outlive the interest of their parent: it does not
// wait for them, fails, continues as new, is terminated, or is purged and
// started again.
func orphans(m *maker) Test {
	c := m.id("-c")
	release := raise("Free", m.present())
	kid := append([]step{mark("child")}, append(m.before(), wait("Free"))...)
	kid = append(kid, m.before()...)
	born, bye := until("child"), Action{Op: Ends}
	born.ID, bye.ID, release.ID = c, c, c
	// The parent goes on once it is told that the child runs.
	first := step{Do: "any", Quiet: true, Of: [][]step{{wait("Go")}, {child("-c", kid...)}}}
	script := []Action{born, raise("Go", 1)}
	var on []step
	if m.apart {
		on = append(on, mark("on"))
	}
	went := append(slices.Clone(script), m.goesOn("on")...)
	switch m.IntN(5) {
	case 0: // it ends, or goes on for a while
		went = append(went, pause(m.IntN(300)), release, bye)
		return m.family(kid, nil, append(append([]step{first}, on...), m.before()...), went)
	case 1: // it fails
		failed := &Outcome{Status: "Failed", Contains: "enough"}
		return m.family(kid, failed, []step{first, throw("enough")}, append(script, Action{Op: Ends}, release, bye))
	case 2: // it continues as new
		again := step{Do: "continue", Steps: append(append(on, m.before()...), wait("Go"))}
		return m.family(kid, nil, []step{constant("kept"), first, again}, append(went, release, bye, raise("Go", 2)))
	case 3: // it is terminated
		terminated := &Outcome{Status: "Terminated", Output: encode("enough")}
		script = []Action{born, {Op: Terminate, Reason: "enough"}, {Op: Ends}, release, bye}
		return m.family(kid, terminated, []step{first}, script)
	default: // it is purged, and another one takes its id
		other := m.id("-other")
		t := m.family(kid, nil, []step{first}, append(script, Action{Op: Ends}, Action{Op: Purge}, wants(Action{Op: Get}, "404"), release, bye))
		t.Instances[0].Want = &Outcome{}
		t.Instances = append(t.Instances, Instance{ID: other, Later: true, Steps: m.before()})
		t.Script = append(t.Script, Action{Op: Start, ID: other}, Action{Op: Ends, ID: other})
		return t
	}
}

// goesOn waits for what a program shows when it has taken an event in, where what
// follows is told another instance: only what one sender tells one instance keeps its
// order when several processes work.
func (m *maker) goesOn(shown string) []Action {
	if !m.apart {
		return nil
	}
	return []Action{until(shown)}
}

// family is a test of a parent and its child.
func (m *maker) family(kid []step, want *Outcome, parent []step, script []Action) Test {
	t := m.ended(want, parent, script...)
	t.Instances = append(t.Instances, Instance{ID: m.id("-c"), Later: true, Steps: kid})
	return t
}
