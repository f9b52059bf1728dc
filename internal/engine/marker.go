package engine

import (
	"fmt"
	"strings"

	"github.com/durable-go/functions/internal/history"
)

// marker is a value that the code made itself and that the history keeps: the
// pair of a TaskScheduled and a TaskCompleted event in the turn that made it.
type marker struct {
	name string
	// recorded means that the history has the value, not only the name: a commit
	// that was cut off may lack it.
	recorded bool
	value    history.Payload
}

// IsMarker reports whether an action records a value that the code made itself.
func IsMarker(e *history.Event) bool { return isMarker(e) }

func isMarker(e *history.Event) bool {
	return e.Type == history.TaskScheduled && (e.Name == sideEffectName || strings.HasPrefix(e.Name, patchPrefix))
}

// scan looks ahead: code asks for the values of markers before the replay has
// come to them.
func (i *Instance) scan(events []*history.Event) {
	l := i.loading
	for _, e := range events {
		l.lastAction = max(l.lastAction, e.ID)
		switch {
		case e.Type == history.OrchestratorStarted:
			l.torn = e
		case e.Type == history.OrchestratorCompleted:
			l.torn = nil
		case isMarker(e):
			if i.markers == nil {
				i.markers = map[int32]*marker{}
			}
			i.markers[e.ID] = &marker{name: e.Name}
		case e.Type == history.TaskCompleted && i.markers[e.TaskID] != nil:
			m := i.markers[e.TaskID]
			m.recorded, m.value = true, e.Result
		}
	}
}

// SideEffect returns what f returns, once and for all: replays get the recorded
// value. f must not call the Runtime; encode makes a payload of what it did and
// runs outside the coroutine.
func (rt *Runtime) SideEffect(f func(), encode func() (history.Payload, error)) (history.Payload, error) {
	rt.check()
	if m := rt.instance.markers[rt.sequence]; m != nil && m.recorded && m.name == sideEffectName {
		rt.mark(sideEffectName, m.value)
		return m.value, nil
	}
	if recorded := rt.instance.options.Recorded; recorded != nil {
		if value, ok := recorded(sideEffectName); ok {
			rt.mark(sideEffectName, value)
			return value, nil
		}
	}
	before := rt.sequence
	f()
	if rt.sequence != before {
		panic(&misuse{"the function of a side effect used the Context"})
	}
	var p history.Payload
	var err error
	rt.Outside(func() { p, err = encode() })
	if err != nil {
		return nil, err
	}
	rt.sideEffect = true
	rt.mark(sideEffectName, p)
	return p, nil
}

// Patched reports whether a change of the code is in force: true for executions
// that come to it for the first time with the changed code, false for those
// that had passed it with the old code. The answer is the same for the life of
// the execution.
func (rt *Runtime) Patched(name string) bool {
	rt.check()
	if known, ok := rt.patches[name]; ok {
		return known
	}
	m := rt.instance.markers[rt.sequence]
	patched := m != nil && m.name == patchPrefix+name || !rt.instance.passed(rt.sequence)
	if recorded := rt.instance.options.Recorded; recorded != nil {
		_, patched = recorded(patchPrefix + name)
	}
	if rt.patches == nil {
		rt.patches = map[string]bool{}
	}
	rt.patches[name] = patched
	if patched {
		rt.mark(patchPrefix+name, history.Payload("true"))
	}
	return patched
}

// passed reports whether code has been at this place before: in a replay, unless
// the commit of the last turn was cut off before anything that came after.
func (i *Instance) passed(action int32) bool {
	l := i.loading
	return i.rt.Replaying() && (l.torn == nil || l.current != l.torn || l.lastAction >= action)
}

// mark asks for the two events of a marker.
func (rt *Runtime) mark(name string, value history.Payload) {
	t := rt.ask(&history.Event{Type: history.TaskScheduled, Name: name})
	rt.instance.actions.forget(t.id)
	rt.instance.unrecorded = append(rt.instance.unrecorded, &history.Event{
		Type: history.TaskCompleted, ID: history.NoID, TaskID: t.id, Timestamp: rt.instance.now, Result: value,
	})
}

// matchMarker compares the recorded value of a marker with what the code asked
// for.
func (i *Instance) matchMarker(recorded *history.Event) error {
	if asked, from, at := i.asking(recorded); asked != nil && mayBe(recorded, asked) {
		*from = without(*from, at)
		return nil
	}
	if i.loading.loose {
		return nil
	}
	return fmt.Errorf("the history of %q has a value of action %d out of place", i.options.InstanceID, recorded.TaskID)
}
