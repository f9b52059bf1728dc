package programs

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/durable-go/functions/samples/conformance/program"
)

// step and value are shorter names for what tests are made of.
type (
	step  = program.Step
	value = program.Value
)

// maker is the chance of one test.
type maker struct {
	*rand.Rand
	seed uint64
	late time.Duration
	// apart is that of the generator.
	apart bool
	// keys counts the keys of FailTimes.
	keys int
}

func newMaker(kind string, seed uint64, g Generator) *maker {
	h := fnv.New64a()
	_, _ = h.Write([]byte(kind)) // a hash does not fail
	return &maker{Rand: rand.New(rand.NewPCG(seed, h.Sum64())), seed: seed, late: g.Late, apart: g.Apart}
}

// some is true with a chance of p.
func (m *maker) some(p float64) bool { return m.Float64() < p }

func pick[T any](m *maker, from ...T) T { return from[m.IntN(len(from))] }

// id is the instance id of the test, with something added.
func (m *maker) id(suffix string) string { return fmt.Sprintf("%s-%d%s", run, m.seed, suffix) }

// key is a key of FailTimes that nothing else has.
func (m *maker) key() string {
	m.keys++
	return fmt.Sprintf("%s-%d-%d", run, m.seed, m.keys)
}

// text is a message that tells failures apart.
func (m *maker) text() string { return fmt.Sprintf("msg%dx%d", m.seed, m.IntN(1000)) }

// values are JSON of every kind.
var values = []value{
	value(`null`), value(`true`), value(`false`), value(`0`), value(`-7`), value(`1e15`), value(`0.1`), value(`""`), value(`"plain"`),
	value(`"ünï \"q\" \\ / \n <&>"`), value(`"2026-01-02T03:04:05Z"`), value(`[]`), value(`{}`), value(`[1,[2,null]]`),
	value(`{"a":{"b":[true,"x"]},"odd key":1}`),
}

func (m *maker) value() value { return pick(m, values...) }

// present is any value but null, which is the absence of some things.
func (m *maker) present() value { return values[1+m.IntN(len(values)-1)] }

// encode is for values that always encode.
func encode(v any) value {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}

func call(activity string, input any) step {
	return step{Do: "call", Activity: activity, Input: encode(input)}
}

func constant(v any) step { return step{Do: "value", Value: encode(v)} }

func timer(ms int) step { return step{Do: "timer", MS: ms} }

func wait(event string) step { return step{Do: "wait", Event: event} }

func waitFor(event string, ms int) step { return step{Do: "wait", Event: event, TimeoutMS: &ms} }

func throw(message string) step { return step{Do: "throw", Message: message} }

func try(steps []step, otherwise ...step) step {
	return step{Do: "try", Steps: steps, Catch: otherwise}
}

// mark sets a custom status that a script waits for.
func mark(status string) step { return step{Do: "status", Value: encode(status), Quiet: true} }

// child is a child program, which is never empty: JSON has no member for no
// steps, and interpreters elsewhere need one.
func child(suffix string, steps ...step) step {
	if len(steps) == 0 {
		steps = []step{constant("nothing")}
	}
	return step{Do: "child", ID: suffix, Steps: steps}
}

func slow(ms int, v any) step {
	return call("Slow", program.Pause{MS: ms, Value: encode(v)})
}

// failing is a call that fails n times before it works.
func (m *maker) failing(n, attempts int, v value) step {
	s := call("FailTimes", program.Failures{Key: m.key(), N: n, Value: v})
	s.Attempts = attempts
	if attempts > 0 {
		s.FirstMS, s.Coefficient = 100, pick(m, 1.0, 2.0)
	}
	return s
}

// one is a test of a single program.
func (m *maker) one(steps []step, script ...Action) Test {
	return Test{Instances: []Instance{{ID: m.id(""), Steps: steps}}, Script: script}
}

func raise(name string, data any) Action { return Action{Op: Event, Event: name, Data: encode(data)} }

func until(status string) Action { return Action{Op: Until, Status: status} }

func pause(ms int) Action { return Action{Op: Pause, MS: ms} }

// of addresses actions to an instance.
func of(id string, actions ...Action) []Action {
	for i := range actions {
		actions[i].ID = id
	}
	return actions
}

func wants(a Action, want string) Action {
	a.Want = want
	return a
}
