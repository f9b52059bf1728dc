package programs

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/durable-go/functions/samples/conformance/program"
)

// entities are calls, signals and locks of entities, operations that fail and undo what
// they did, and entities that are deleted and signal others.
func entities(m *maker) Test {
	key := func(i int) string { return fmt.Sprintf("@cell@%s-s%dk%d", run, m.seed, i) }
	var steps []step
	for range 2 + m.IntN(7) {
		steps = append(steps, m.entitySteps(key)...)
	}
	return m.one(steps)
}

func ask(entity, op string, input any) step {
	return step{Do: "ask", Entity: entity, Op: op, Input: encode(input)}
}

// operation asks an entity for something that does not fail.
func (m *maker) operation(entity string) step {
	switch m.IntN(8) {
	case 0, 1:
		return ask(entity, "add", 1+m.IntN(9))
	case 2:
		return ask(entity, "get", nil)
	case 3:
		return ask(entity, "set", m.IntN(50))
	case 4:
		return ask(entity, "delete", nil)
	case 5:
		return ask(entity, pick(m, "key", "name", "Add"), 1)
	}
	return ask(entity, "add", -m.IntN(5))
}

// entitySteps make steps about an entity; a timer between two is longer than the
// way of a signal.
func (m *maker) entitySteps(key func(int) string) (steps []step) {
	e := key(m.IntN(3))
	switch m.IntN(9) {
	case 0, 1:
		return []step{m.operation(e)}
	case 2:
		for range 1 + m.IntN(6) {
			s := m.operation(e)
			s.Do, s.Quiet = "signal", true
			steps = append(steps, s)
		}
		return append(steps, ask(e, "get", nil))
	case 3:
		return []step{try([]step{ask(e, "fail", m.text())})}
	case 4:
		return []step{try([]step{ask(e, "setAndFail", program.Assignment{Value: encode(1000), Message: m.text()})}), ask(e, "get", nil)}
	case 5:
		return m.locks(e, key(5+m.IntN(2)))
	case 6:
		return []step{ask(e, "forward", program.Forward{Entity: key(8), Op: "add", Input: encode(3)}), m.delivery(), ask(key(8), "get", nil)}
	case 7:
		return []step{
			try([]step{ask(e, "signalAndFail", program.Forward{Entity: key(9), Op: "add", Input: encode(1), Message: m.text()})}),
			m.delivery(), ask(key(9), "get", nil),
		}
	}
	s := ask(e, "add", 100)
	s.Do, s.Quiet, s.AfterMS = "signal", true, 500
	return []step{s, m.delivery(), ask(e, "get", nil)}
}

// delivery waits until a signal has arrived: longer than any crash takes to recover
// from, and shorter than a player waits, who may have to wait several times.
// Where processes stand still and services are away it may be many minutes late.
func (m *maker) delivery() step {
	most := 2 * time.Minute
	if m.apart {
		most = 30 * time.Minute
	}
	return timer(int(min(m.late/4, most).Milliseconds()))
}

func (m *maker) locks(e, other string) []step {
	of := []string{e, other}
	if m.some(0.5) {
		slices.Reverse(of)
	}
	in := []step{{Do: "locked"}, m.operation(e), m.operation(other)}
	if m.some(0.4) {
		in = append(in, try([]step{ask(other, "fail", m.text())}))
	}
	if m.some(0.4) {
		in = append(in, call("Give", 1))
	}
	return []step{{Do: "lock", Entities: of, Steps: in}, {Do: "locked"}}
}

// bank are several programs that move amounts between the same accounts at once, each
// move in a critical section, some of which fail; an audit reads the sums.
func bank(m *maker) Test {
	return m.bank(2+m.IntN(3), 2+m.IntN(4), func() int { return 2 + m.IntN(3) })
}

// Bank is a test of the kind bank with so many accounts and programs, each of which makes
// so many transfers.
func Bank(seed uint64, accounts, programs, transfers int) Test {
	m := newMaker("bank", seed, Generator{})
	t := m.bank(accounts, programs, func() int { return transfers })
	t.Kind, t.Seed = "bank", seed
	return t
}

func (m *maker) bank(n, programs int, transfers func() int) Test {
	account := func(i int) string { return fmt.Sprintf("@cell@%s-b%da%d", run, m.seed, i) }
	var t Test
	for p := range programs {
		in := Instance{ID: m.id(fmt.Sprint("-", p))}
		for range transfers() {
			from := m.IntN(n)
			to, amount := account((from+1+m.IntN(n-1))%n), 1+m.IntN(9)
			move := []step{ask(account(from), "add", -amount), ask(to, "add", amount)}
			if m.some(0.2) {
				move = append(move, throw("after"))
			}
			moved := try([]step{{Do: "lock", Entities: []string{account(from), to}, Steps: move}})
			moved.Quiet = true
			in.Steps = append(in.Steps, moved)
		}
		in.Steps = append(in.Steps, constant("moved"))
		t.Instances = append(t.Instances, in)
		t.Script = append(t.Script, of(in.ID, Action{Op: Ends})...)
	}
	audit := Instance{ID: m.id("-audit"), Later: true}
	all := step{Do: "lock"}
	for i := range n {
		all.Entities = append(all.Entities, account(i))
		all.Steps = append(all.Steps, ask(account(i), "get", nil))
	}
	audit.Steps = []step{all}
	t.Instances = append(t.Instances, audit)
	t.Script = append(t.Script, of(audit.ID, Action{Op: Start})...)
	return t
}

// ask is an operation in the model: one that fails changes and sends nothing.
func (m *model) ask(entity, op string, input value) (value, error) {
	state := m.cells[entity]
	name, key, _ := strings.Cut(strings.TrimPrefix(entity, "@"), "@")
	var set program.Assignment
	var on program.Forward
	switch op := strings.ToLower(op); op {
	case "add":
		return m.add(entity, state, input)
	case "get":
		return state, nil
	case "set":
		m.put(entity, input)
		return encode("set"), nil
	case "delete":
		m.put(entity, nil)
		return encode("deleted"), nil
	case "key":
		m.put(entity, state)
		return encode(key), nil
	case "name":
		return encode(name), nil
	case "fail":
		var text string
		err := json.Unmarshal(input, &text)
		return nil, errors.Join(failed{text}, err)
	case "setandfail":
		err := json.Unmarshal(input, &set)
		return nil, errors.Join(failed{set.Message}, err)
	case "signalandfail":
		err := json.Unmarshal(input, &on)
		return nil, errors.Join(failed{on.Message}, err)
	case "forward":
		if err := json.Unmarshal(input, &on); err != nil {
			return nil, err
		}
		return encode("forwarded"), m.signal(step{Entity: on.Entity, Op: on.Op, Input: on.Input, AfterMS: on.AfterMS})
	}
	return nil, fmt.Errorf("there is no model of operation %q", op)
}

func (m *model) put(entity string, state value) {
	if string(state) == "null" {
		state = nil
	}
	m.cells[entity] = state
}

func (m *model) add(entity string, state, input value) (value, error) {
	n, by := 0, 1
	if input != nil && string(input) != "null" {
		if err := json.Unmarshal(input, &by); err != nil {
			return nil, err
		}
	}
	if state != nil {
		if err := json.Unmarshal(state, &n); err != nil {
			return nil, err
		}
	}
	m.cells[entity] = encode(n + by)
	return m.cells[entity], nil
}

func (m *model) signal(s step) error {
	if s.AfterMS > 0 {
		s.AfterMS = 0
		m.later = append(m.later, s)
		return nil
	}
	_, err := m.ask(s.Entity, s.Op, s.Input)
	if errors.As(err, new(failed)) {
		return nil
	}
	return err
}

// deliver runs what was signalled for later.
func (m *model) deliver() {
	later := m.later
	m.later = nil
	for _, s := range later {
		_ = m.signal(s) // the model knows the operation
	}
}

func (m *model) lock(s step, at *place) (value, error) {
	before := at.locked
	at.locked = slices.Compact(slices.Sorted(slices.Values(s.Entities)))
	results, err := m.run(s.Steps, at, []value{}, false)
	at.locked = before
	return encode(results), err
}
