package programs

import "strings"

// sizes are those of payloads that a table cell or a queue message does not
// hold, often the smallest ones.
var sizes = []int{33_000, 33_000, 33_000, 33_000, 48_000, 48_000, 48_000, 48_000, 66_000, 66_000, 66_000, 140_000, 1_100_000}

// large are payloads in every place where one can stand.
func large(m *maker) Test {
	v := m.large()
	steps := m.before()
	var script []Action
	switch m.IntN(10) {
	case 0: // in, and out of, an activity
		steps = append(steps, step{Do: "call", Activity: "Give", Input: v})
	case 1: // in the input, and the output
		steps = append(steps, step{Do: "value", Value: v})
	case 2: // in, and out of, a child
		steps = append(steps, child("", step{Do: "value", Value: v}))
	case 3: // in an event of a client
		steps, script = append(steps, wait("Go")), []Action{raise("Go", v)}
	case 4: // in an event of another program
		steps = append(steps, child("", step{Do: "send", To: m.id(""), Event: "Go", Data: v, Quiet: true}), wait("Go"))
	case 5: // over continue-as-new
		steps = append(steps, step{Do: "loop", N: 1 + m.IntN(3), Steps: []step{{Do: "call", Activity: "Give", Input: v}}})
	case 6: // in an event that waits, over continue-as-new
		steps = append(steps, mark("one"), wait("Go"), step{Do: "continue", Steps: append(m.before(), wait("Later"))})
		script = []Action{until("one"), raise("Later", v), raise("Go", 1)}
	case 7: // in lanes side by side
		steps = append(steps, step{Do: "all", Of: [][]step{{{Do: "call", Activity: "Give", Input: v}}, {child("", step{Do: "value", Value: m.large()})}}})
	case 8: // in an error of an activity, or of a child
		text := strings.Repeat(pick(m, "x", "ü", "💡"), 15_000)
		failure := pick(m, call("Fail", text), child("", throw(text)))
		steps = append(steps, try([]step{failure}))
	default: // in the reason of an end
		reason := strings.Repeat("r", 2000)
		return m.ended(&Outcome{Status: "Terminated", Custom: encode("one"), Output: encode(reason)}, append(steps, mark("one"), wait("Go")),
			until("one"), Action{Op: Terminate, Reason: reason})
	}
	return m.one(append(steps, m.before()...), script...)
}

// large is a long text of characters that take one to four bytes.
func (m *maker) large() value {
	unit, size := pick(m, "x", "ü", "x\n", "💡", "<&>", `"\`), pick(m, sizes...)
	if unit == "<&>" {
		size /= 6 // JSON has six characters for each of them
	}
	return encode(strings.Repeat(unit, size/len(unit)))
}
