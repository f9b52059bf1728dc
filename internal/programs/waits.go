package programs

import "fmt"

// waits are events of several names by a client and by children, before and
// after the wait, over continue-as-new, and waits that time out.
func waits(m *maker) Test {
	names := []string{"A", "b", "Ünt"}[:1+m.IntN(3)]
	var t Test
	var steps []step
	sent := 0
	send := func(name string, times int) {
		for range times {
			sent++
			data := encode(sent)
			if m.some(0.3) {
				data = m.present()
			}
			t.Script = append(t.Script, raise(name, data))
		}
	}
	for i := range 1 + m.IntN(6) {
		name, n := pick(m, names...), 2+m.IntN(3)
		switch m.IntN(7) {
		case 0:
			steps = append(steps, wait(name))
			send(name, 1)
		case 1:
			steps = append(steps, step{Do: "repeat", N: n, Steps: []step{wait(name)}})
			send(name, n)
		case 2:
			steps = append(steps, step{Do: "loop", N: n, Steps: []step{wait(name), call("Give", i)}})
			send(name, n)
		case 3:
			steps = append(steps, waitFor(fmt.Sprint("never", i), 100+m.IntN(300)))
		case 4:
			event := fmt.Sprint("fromChild", i)
			steps = append(steps, child("", m.sends(event, 1+m.IntN(2))...))
			for range len(steps[len(steps)-1].Steps) {
				steps = append(steps, wait(event))
			}
		case 5:
			steps = append(steps, step{Do: "loop", N: n, Steps: []step{wait(name)}})
			send(name, n)
		default:
			steps = append(steps, slow(m.IntN(200), i), wait(name))
			send(name, 1)
		}
	}
	t.Instances = []Instance{{ID: m.id(""), Steps: steps}}
	return t
}

// timeouts are waits that time out before the event comes, which the next wait
// takes.
func timeouts(m *maker) Test {
	var t Test
	var steps []step
	for i := range 1 + m.IntN(3) {
		event, n := fmt.Sprint("E", i), m.IntN(3)
		steps = append(steps, m.before()...)
		steps = append(steps, waitFor(event, 100+m.IntN(200)), mark(event), slow(m.IntN(500), i), wait(event))
		t.Script = append(t.Script, until(event), raise(event, m.present()))
		if n > 0 {
			steps = append(steps, step{Do: "loop", N: n, Steps: []step{wait(event)}})
		}
		for range n {
			t.Script = append(t.Script, raise(event, m.present()))
		}
	}
	t.Instances = []Instance{{ID: m.id(""), Steps: steps}}
	return t
}

// sends are steps of a child that send events to the program.
func (m *maker) sends(event string, n int) []step {
	steps := make([]step, n)
	for i := range steps {
		steps[i] = step{Do: "send", To: m.id(""), Event: event, Data: encode(map[string]int{"i": i})}
	}
	return steps
}
