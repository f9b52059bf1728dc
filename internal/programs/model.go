package programs

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/durable-go/functions/samples/conformance/program"
)

// Expect is what a right engine makes of a test. An error means that the test
// itself makes no sense, as one may that was made smaller: it waits for what
// never comes, or raises what nothing takes.
func Expect(t Test) (Result, error) {
	m := &model{tries: map[string]int{}, events: map[string][]raised{}, children: map[string]Outcome{}, cells: map[string]value{}}
	r := Result{Seen: []string{}, Outcomes: map[string]Outcome{}}
	lives, seen := map[string]int{}, map[string]string{}
	for _, a := range t.Script {
		if want, ok := answered[a.Op]; ok {
			if a.Want != "" {
				want = a.Want
			}
			r.Seen = append(r.Seen, want)
		}
		id := a.ID
		if id == "" {
			id = t.Instances[0].ID
		}
		switch {
		case a.Want != "": // refused, or no more than a look
		case a.Op == Until:
			seen[id] = string(encode(a.Status))
		case a.Op == Event:
			m.raise(id, a.Event, raised{a.Data, seen[id]})
		case a.Op == Rewind || a.Op == Start || a.Op == Restart:
			lives[id]++
		}
	}
	for _, in := range t.Instances {
		if in.Want != nil {
			r.Outcomes[in.ID] = *in.Want
			continue
		}
		o, known := m.children[in.ID]
		if !known {
			var err error
			if o, err = m.instance(in, lives[in.ID]); err != nil {
				return r, fmt.Errorf("instance %s: %w", in.ID, err)
			}
		}
		r.Outcomes[in.ID] = o
	}
	return r, nil
}

// failed is a failure of a program: what its code said.
type failed struct{ message string }

func (f failed) Error() string { return f.message }

// again is a program that continues as new.
type again struct{ in program.Input }

func (again) Error() string { return "continues as new" }

var errNever = errors.New("waits for what does not come")

// never is the time of what does not come.
const never = math.MaxInt32

// model runs programs without an engine: at once, one step after the other. Its
// clock counts the milliseconds that steps take at least, for races.
type model struct {
	tries  map[string]int
	events map[string][]raised
	now    int
	// cells are the states of entities, later what is signalled later.
	cells map[string]value
	later []step
	// children are the outcomes of those that have ids of their own.
	children map[string]Outcome
}

// raised is an event, and the custom status that the client saw before it raised
// it: the program does not have the event earlier.
type raised struct {
	data  value
	after string
}

// place is where steps run: an instance.
type place struct {
	id, parent string
	child      bool
	custom     value
	// locked are the entities whose locks are held.
	locked []string
	// had are the custom statuses so far.
	had map[string]bool
}

func (p *place) set(status value) {
	if p.had == nil {
		p.had = map[string]bool{}
	}
	p.custom, p.had[string(status)] = status, true
}

func queue(id, event string) string { return id + "\n" + strings.ToLower(event) }

func (m *model) raise(id, event string, r raised) {
	q := queue(id, event)
	m.events[q] = append(slices.Clip(m.events[q]), r)
}

// instance runs a program. One that fails is rewound or started again, as often
// as it may be: it begins again, and what had failed works now.
func (m *model) instance(in Instance, lives int) (Outcome, error) {
	at := &place{id: in.ID}
	next := program.Input{Steps: in.Steps}
	events := maps.Clone(m.events)
	for {
		results, err := m.run(next.Steps, at, append([]value{}, next.Results...), true)
		more := (*again)(nil)
		failure := failed{}
		switch {
		case errors.As(err, &more):
			next, at.custom = more.in, nil
		case errors.As(err, &failure) && lives > 0:
			lives--
			m.events = maps.Clone(events)
		case errors.As(err, &failure):
			return Outcome{Status: "Failed", Custom: at.custom, Contains: failure.message}, nil
		case err != nil:
			return Outcome{}, err
		default:
			return Outcome{Status: "Completed", Custom: at.custom, Output: encode(results)}, nil
		}
	}
}

// run adds what steps give to the results; top means that they are those of the
// program and not of a step.
func (m *model) run(steps []step, at *place, results []value, top bool) ([]value, error) {
	for i, s := range steps {
		if top && s.Do == "loop" {
			var err error
			if results, err = m.run(s.Steps, at, results, true); err != nil {
				return results, err
			}
			if s.N > 1 {
				s.N--
				return results, &again{program.Input{Steps: append([]step{s}, steps[i+1:]...), Results: results}}
			}
			results = append(results, value(`"done"`))
			continue
		}
		if top && s.Do == "continue" {
			return results, &again{program.Input{Steps: s.Steps, Results: results}}
		}
		v, err := m.step(s, at)
		if err != nil {
			return results, err
		}
		if !s.Quiet {
			results = append(results, v)
		}
	}
	return results, nil
}

func (m *model) step(s step, at *place) (value, error) {
	switch s.Do {
	case "call":
		return m.call(s)
	case "child":
		return m.child(s, at)
	case "timer":
		m.now += s.MS
		m.deliver()
		return value(`"timer"`), nil
	case "wait":
		return m.wait(s, at)
	case "all":
		return m.all(s.Of, at)
	case "any":
		return m.any(s.Of, at)
	case "try":
		return m.try(s.Steps, s.Catch, at)
	case "throw":
		return nil, failed{s.Message}
	case "status":
		at.set(s.Value)
		return nil, nil
	case "repeat":
		results := []value{}
		for range s.N {
			var err error
			if results, err = m.run(s.Steps, at, results, false); err != nil {
				return nil, err
			}
		}
		return encode(results), nil
	case "send":
		m.raise(s.To, s.Event, raised{data: s.Data})
		return nil, nil
	case "ask":
		return m.ask(s.Entity, s.Op, s.Input)
	case "signal":
		return nil, m.signal(s)
	case "lock":
		return m.lock(s, at)
	case "locked":
		return encode(at.locked), nil
	case "guids":
		return value("3"), nil
	case "parent":
		if !at.child {
			return nil, nil
		}
		return encode(at.parent), nil
	case "value":
		return s.Value, nil
	default:
		return nil, fmt.Errorf("there is no model of %q", s.Do)
	}
}

// call runs an activity as often as its retry policy wants.
func (m *model) call(s step) (value, error) {
	var text string
	switch s.Activity {
	case "Give":
		return s.Input, nil
	case "Hello", "Fail":
		if err := json.Unmarshal(s.Input, &text); err != nil {
			return nil, err
		}
		if s.Activity == "Fail" {
			return nil, failed{text}
		}
		return encode("Hello " + text + "!"), nil
	case "Slow":
		var in program.Pause
		err := json.Unmarshal(s.Input, &in)
		m.now += in.MS
		return in.Value, err
	case "FailTimes":
		var in program.Failures
		if err := json.Unmarshal(s.Input, &in); err != nil {
			return nil, err
		}
		for range max(s.Attempts, 1) {
			if m.tries[in.Key]++; m.tries[in.Key] > in.N {
				return in.Value, nil
			}
		}
		return nil, failed{fmt.Sprint("try ", m.tries[in.Key])}
	default:
		return nil, fmt.Errorf("there is no model of activity %q", s.Activity)
	}
}

func (m *model) child(s step, at *place) (value, error) {
	in := &place{id: at.id + s.ID, parent: at.id, child: true}
	var err error
	for range max(s.Attempts, 1) {
		var results []value
		if results, err = m.run(s.Steps, in, []value{}, true); err == nil {
			m.children[in.id] = Outcome{Status: "Completed", Custom: in.custom, Output: encode(results)}
			return encode(results), nil
		}
		if !errors.As(err, new(failed)) {
			return nil, err
		}
	}
	return nil, err
}

func (m *model) wait(s step, at *place) (value, error) {
	q := queue(at.id, s.Event)
	if left := m.events[q]; len(left) > 0 && (left[0].after == "" || at.had[left[0].after]) {
		m.events[q] = left[1:]
		return left[0].data, nil
	}
	if s.TimeoutMS == nil {
		return nil, errNever
	}
	m.now += *s.TimeoutMS
	return value(`"timeout"`), nil
}

// all runs lanes as if each had the clock for itself.
func (m *model) all(lanes [][]step, at *place) (value, error) {
	began, ended := m.now, m.now
	results := []value{}
	for _, lane := range lanes {
		m.now = began
		v, err := m.try(lane, nil, at)
		if err != nil {
			return nil, err
		}
		results, ended = append(results, v), max(ended, m.now)
	}
	m.now = ended
	return encode(results), nil
}

// any runs lanes as if each had the clock for itself, and takes the one that
// needed the least time.
func (m *model) any(lanes [][]step, at *place) (value, error) {
	began, ended := m.now, never
	first, err := -1, errNever
	results := []value{}
	events, left := m.events, m.events
	for i, lane := range lanes {
		m.now, m.events = began, maps.Clone(events)
		of, failure := m.run(lane, at, []value{}, false)
		if errors.Is(failure, errNever) {
			continue
		}
		if m.now < ended {
			first, results, err, ended, left = i, of, failure, m.now, m.events
		}
	}
	m.now, m.events = ended, left
	if err != nil {
		return nil, err
	}
	return encode(map[string]any{"first": first, "value": results}), nil
}

func (m *model) try(steps, otherwise []step, at *place) (value, error) {
	results, err := m.run(steps, at, []value{}, false)
	if failure := (failed{}); errors.As(err, &failure) {
		results = append(results, encode(map[string]string{"error": failure.message}))
		results, err = m.run(otherwise, at, results, false)
	}
	return encode(results), err
}
