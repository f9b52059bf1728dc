package programs

import "strings"

// odd are ids and names with characters that mean something elsewhere.
func odd(m *maker) Test {
	id := m.id("-" + m.oddText())
	event, other := "E"+m.oddText()+pick(m, "", "?", "#", `\`), "F"+m.oddText()
	suffix := "-" + m.oddText()
	steps := append(m.before(), mark("one"), wait(event))
	script := []Action{until("one"), raise(event, m.present())}
	switch m.IntN(4) {
	case 0: // events from a child, whose name no URL has
		other += pick(m, "", "/", "a/b")
		steps = append(steps, child(suffix, step{Do: "send", To: id, Event: other, Data: encode(other)}), wait(other))
	case 1: // a child that is told by the client
		steps = append(steps, child(suffix, mark("child"), wait(event), constant(id)))
		script = append(script, of(id+suffix, until("child"), raise(event, m.oddText()))...)
	case 2: // names without case
		steps = append(steps, wait(strings.ToUpper(other)))
		script = append(script, raise(strings.ToLower(other), other))
	default:
		steps = append(steps, call("Hello", other), try([]step{call("Fail", other)}), step{Do: "parent"}, child(suffix, step{Do: "parent"}))
		script = append(script, Action{Op: Ends}, wants(raise(event, 1), "410"), Action{Op: Purge}, wants(Action{Op: Get}, "404"), Action{Op: Start}, until("one"), script[1])
	}
	return Test{Instances: []Instance{{ID: id, Steps: steps}}, Script: script}
}

// oddText is a short text that may stand in an instance id.
func (m *maker) oddText() string {
	return pick(m, "a b", "ü", "'", `"`, "(x)", "a@b", "%", "%41", "%2F", "+", "&a=1", ";", "💡", "~!*", ":", "$filter", "..", "{}", "<b>", "e\u0301",
		strings.Repeat("long", 25), "PartitionKey eq ''", "`", "^|", ",", "[1]")
}
