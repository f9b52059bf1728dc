package taskhub_test

import (
	"fmt"
	"slices"
	"strings"
)

// model is a protocol of several processes as a graph: each state has the
// single steps that can come next, crashes and pauses of each process included. Walks
// through it are all interleavings.
type model[S comparable] struct {
	start S
	next  func(S) []step[S]
	// wrong names what must never be the case; empty: all is well.
	wrong func(S) string
	// owed reports that something was promised, done that it has come about. A
	// promise is broken where no walk leads from owed to done any more.
	owed, done func(S) bool
}

type step[S comparable] struct {
	what string
	to   S
}

// explored is what a walk through all states of a model found.
type explored struct {
	states int
	// fault is what goes wrong and by which steps; empty: nothing does.
	fault string
}

func (m *model[S]) explore() explored {
	type visit struct {
		from int
		what string
	}
	states, visits, index := []S{m.start}, []visit{{from: -1}}, map[S]int{m.start: 0}
	before := [][]int{nil}
	for i := 0; i < len(states); i++ {
		for _, next := range m.next(states[i]) {
			at, seen := index[next.to]
			if !seen {
				at = len(states)
				index[next.to] = at
				states, visits, before = append(states, next.to), append(visits, visit{i, next.what}), append(before, nil)
			}
			before[at] = append(before[at], i)
		}
	}
	trace := func(i int, fault string) explored {
		var steps []string
		for ; i > 0; i = visits[i].from {
			steps = append(steps, visits[i].what)
		}
		slices.Reverse(steps)
		return explored{len(states), fmt.Sprintf("%s: %s", fault, strings.Join(steps, " > "))}
	}
	kept := m.reach(states, before)
	for i, s := range states {
		if what := m.wrong(s); what != "" {
			return trace(i, what)
		}
		if m.owed(s) && !kept[i] {
			return trace(i, "lost")
		}
	}
	return explored{states: len(states)}
}

// reach marks the states from which a walk leads to one where all is done.
func (m *model[S]) reach(states []S, before [][]int) []bool {
	kept := make([]bool, len(states))
	var queue []int
	for i, s := range states {
		if m.done(s) {
			kept[i], queue = true, append(queue, i)
		}
	}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, i := range before[at] {
			if !kept[i] {
				kept[i], queue = true, append(queue, i)
			}
		}
	}
	return kept
}

// steps collects what can come next.
type steps[S comparable] []step[S]

// add is a step that changes a copy of the state.
func (l *steps[S]) add(s S, what string, change func(*S)) {
	change(&s)
	*l = append(*l, step[S]{what, s})
}
