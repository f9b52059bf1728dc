package programs

import "fmt"

// rewinds are programs in which an activity fails, in the program itself or in
// a child of a child, and which are rewound, sometimes more than once.
func rewinds(m *maker) Test {
	var t Test
	var steps []step
	for i := range 1 + m.IntN(3) {
		event := fmt.Sprint("Go", i)
		steps = append(steps, m.before()...)
		steps = append(steps, m.failsOnce(m.IntN(3))...)
		steps = append(steps, m.before()...)
		// The event holds the program after the rewind, until that was seen.
		steps = append(steps, wait(event))
		t.Script = append(t.Script, Action{Op: Ends}, wants(Action{Op: Is}, "Failed"), Action{Op: Rewind}, raise(event, i))
	}
	if m.some(0.3) {
		t.Script = append(t.Script, Action{Op: Ends}, wants(Action{Op: Rewind}, "412"))
	}
	t.Instances = []Instance{{ID: m.id(""), Steps: steps}}
	return t
}

// failsOnce is a call that fails until it is rewound, in children of children
// where depth is not 0.
func (m *maker) failsOnce(depth int) []step {
	if depth > 0 {
		suffix := ""
		if m.some(0.5) {
			suffix = fmt.Sprint("-c", m.IntN(1e6))
		}
		inner := append(m.before(), m.failsOnce(depth-1)...)
		return []step{child(suffix, append(inner, m.before()...)...)}
	}
	if m.some(0.3) {
		attempts := 1 + m.IntN(3)
		return []step{m.failing(attempts, attempts, m.value())}
	}
	return []step{m.failing(1, 0, m.value())}
}
