package programs

import "strings"

// Difference is a test that the official engine does not pass, on purpose of
// this one.
type Difference struct {
	Test
	// Here and There are what this engine and the official one do.
	Here, There string
}

// Differing lists what differs from the official engine (extension 3.19.0), with
// the program that shows it. A seed of the kinds may show the same.
func Differing() []Difference {
	m := newMaker("differing", 0, Generator{})
	free := of(m.id("-c"), raise("Free", 1), Action{Op: Ends})
	unwaited := m.one([]step{{Do: "any", Of: [][]step{{wait("Go")}, {child("-c", wait("Free"))}}}}, raise("Go", 1), Action{Op: Ends}, free[0], free[1])
	loop := step{Do: "loop", N: 5, Steps: []step{wait("A"), call("Give", 0)}}
	ordered := m.one([]step{loop}, raise("A", 1), raise("A", 2), raise("A", 3), raise("A", 4), raise("A", 5))
	again := m.one([]step{m.failing(2, 2, encode("at last"))}, Action{Op: Ends}, Action{Op: Rewind})
	text := strings.Repeat("x", 100_000)
	cut := m.ended(&Outcome{Status: "Completed", Contains: "xxx... (100000 bytes)"}, []step{try([]step{call("Fail", text)})})
	name := m.one([]step{wait("a#")}, raise("a#", 1))
	percent := Test{Instances: []Instance{{ID: m.id("-%2F"), Steps: []step{mark("one"), wait("Go")}}}, Script: []Action{until("one"), raise("Go", 1)}}
	return []Difference{
		{
			Test:  unwaited,
			Here:  "A program ends when its code does. What it has started and does not wait for goes on by itself (children) or is told to stop (activities).",
			There: "It stays Running until each of its calls, timers and children has ended.",
		},
		{
			Test:  ordered,
			Here:  "The events of one sender come in the order in which they were sent.",
			There: "Events of one name may change places, usually when the program continues as new.",
		},
		{
			Test:  again,
			Here:  "A rewind repeats the last try of a call that was retried.",
			There: "The instance fails for good: its code does not fit the history any more (NonDeterministicOrchestrationException).",
		},
		{
			Test:  cut,
			Here:  "The text of an error is cut after 64 KiB, and its length is named.",
			There: "It is kept whole.",
		},
		{
			Test:  name,
			Here:  "The management API takes the name of an event as the URL has it, decoded once.",
			There: "A name that ends with #, ? or a backslash is answered 202, and no event of that name arrives.",
		},
		{
			Test:  percent,
			Here:  "It does so with the id of an instance, here `id-%2F`.",
			There: "An id, or the name of an event, that has %2F is decoded twice: its events are answered 404.",
		},
	}
}
