package programs

import "fmt"

// lifecycle are programs that are suspended, resumed, terminated, restarted,
// purged and begun again while they wait, and the same for a child.
func lifecycle(m *maker) Test {
	reason := fmt.Sprint("reason ", m.IntN(9))
	begin := append(m.before(), mark("one"), wait("Go"))
	end := Action{Op: Terminate, Reason: reason}
	terminated := &Outcome{Status: "Terminated", Custom: encode("one"), Output: encode(reason)}
	ends, suspend, resume, one := Action{Op: Ends}, Action{Op: Suspend}, Action{Op: Resume}, until("one")
	is := wants(Action{Op: Is}, "Suspended")
	switch m.IntN(9) {
	case 0:
		return m.one(begin, one, suspend, raise("Go", 1), pause(700), is, resume)
	case 1:
		return m.ended(terminated, begin, one, end, ends, wants(raise("Go", 2), "410"), wants(end, "410"))
	case 2:
		return m.ended(terminated, begin, one, suspend, end, ends)
	case 3:
		return m.one(begin, one, raise("Go", 3), ends, Action{Op: Restart}, one, raise("Go", 3))
	case 4:
		again := []Action{{Op: Purge}, wants(Action{Op: Get}, "404"), {Op: Start}, one, raise("Go", 6)}
		return m.one(begin, append([]Action{one, raise("Go", 6), ends}, again...)...)
	case 5:
		return m.one(append(begin, wait("Go"), wait("Go")), one, suspend, raise("Go", 1), raise("Go", 2), resume, suspend, raise("Go", 3), resume)
	case 6:
		return m.ended(terminated, begin, one, end, ends, Action{Op: Start}, one, end, ends)
	default:
		return m.withChild(begin, reason)
	}
}

// before are a few calls, so that the history is not empty.
func (m *maker) before() []step {
	steps := []step{}
	for range m.IntN(3) {
		steps = append(steps, call("Give", m.value()))
	}
	return steps
}

// ended is a test of a single program whose steps do not say how it ends.
func (m *maker) ended(want *Outcome, steps []step, script ...Action) Test {
	t := m.one(steps, script...)
	t.Instances[0].Want = want
	return t
}

// withChild does to a child what lifecycle does to the program.
func (m *maker) withChild(begin []step, reason string) Test {
	c, started := m.id("-c"), until("child")
	started.ID = c
	script := []Action{until("one"), raise("Go", 7), started}
	steps := []step{mark("child"), wait("Go")}
	if m.some(0.5) {
		script = append(script, of(c, Action{Op: Suspend}, raise("Go", 8), pause(500), wants(Action{Op: Is}, "Suspended"), Action{Op: Resume})...)
		return m.one(append(begin, child("-c", steps...)), script...)
	}
	script = append(script, of(c, Action{Op: Terminate, Reason: reason})...)
	t := m.one(append(begin, step{Do: "try", Quiet: true, Steps: []step{child("-c", steps...)}}), script...)
	t.Instances = append(t.Instances, Instance{ID: c, Later: true, Want: &Outcome{Status: "Terminated", Custom: encode("child"), Output: encode(reason)}})
	// How the parent's failure is worded differs, so the step is quiet.
	t.Instances[0].Want = completed(encode("one"), results(begin, 7))
	return t
}

// completed is the outcome of a program that has completed.
func completed(custom value, output any) *Outcome {
	return &Outcome{Status: "Completed", Custom: custom, Output: encode(output)}
}

// results are what calls of Give and waits for one event gave.
func results(steps []step, event any) []any {
	out := []any{}
	for _, s := range steps {
		switch s.Do {
		case "call":
			out = append(out, s.Input)
		case "wait":
			out = append(out, event)
		}
	}
	return out
}
