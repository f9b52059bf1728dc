// Package programs makes random programs for the interpreter of
// samples/conformance/program, and knows without an engine what a right one
// gives for them. A seed decides everything but time:
//
//	test := programs.Make("waits", 7)      // programs, and what a client does meanwhile
//	want, err := programs.Expect(test)     // by a model that is no engine
//	got, err := player.Play(ctx, test)     // over the management API of any host
//	programs.Differences(want, got)        // empty for a right engine
//
// What the programs give depends neither on timing nor on crashes. So the same
// ones run on a hub in memory in virtual time, on the Functions host, and on the
// official engine. A hub in memory is reached by a Player whose http.Client
// calls the handler of durable.Client.ManagementAPI; where processes end there,
// Tries takes the place of the activity FailTimes.
package programs

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/samples/conformance/program"
)

// run stands in ids and keys for what differs from play to play, so that a test
// can be played twice on one hub.
const run = "$run"

// Test is a few programs and what a client does while they run.
type Test struct {
	Kind string `json:"kind"`
	Seed uint64 `json:"seed"`
	// Instances are started at once, before the script begins.
	Instances []Instance `json:"instances"`
	Script    []Action   `json:"script,omitempty"`
}

// Instance is a program that runs.
type Instance struct {
	ID    string         `json:"id"`
	Steps []program.Step `json:"steps"`
	// Later means that the client does not start it at the beginning: the script
	// does, or another program, whose child it is.
	Later bool `json:"later,omitempty"`
	// Want is how it ends where its steps alone do not say it.
	Want *Outcome `json:"want,omitempty"`
}

// Action is what a client does, or waits for.
type Action struct {
	Op Op `json:"op"`
	// ID is the instance; empty: the first one.
	ID     string        `json:"id,omitempty"`
	Event  string        `json:"event,omitempty"`
	Data   program.Value `json:"data,omitempty"`
	Reason string        `json:"reason,omitempty"`
	// Status is the custom status that Until waits for.
	Status string `json:"status,omitempty"`
	MS     int    `json:"ms,omitempty"`
	// Reuse is the policy of a Start, which a Starter knows.
	Reuse durable.ReusePolicy `json:"reuse,omitempty"`
	// Want is the status code of the answer, or the runtime status for Is; empty:
	// that of success.
	Want string `json:"want,omitempty"`
}

// Op is a kind of action.
type Op string

// The actions of clients. Those in the first group have an answer.
const (
	Start     Op = "start"
	Event     Op = "event"
	Suspend   Op = "suspend" // and waits until it is
	Resume    Op = "resume"  // and waits until it goes on
	Terminate Op = "terminate"
	Restart   Op = "restart" // under the same id
	Rewind    Op = "rewind"  // and waits until it goes on
	Purge     Op = "purge"
	Get       Op = "get"
	Is        Op = "is" // looks at the runtime status

	Ends  Op = "ends"  // waits until the instance has finished
	Until Op = "until" // waits for a custom status
	Pause Op = "pause" // lets time pass
)

// answered has the code of success of the actions that have one.
var answered = map[Op]string{
	Start: "202", Event: "202", Suspend: "202", Resume: "202", Terminate: "202", Restart: "202", Rewind: "202",
	Purge: "200", Get: "200", Is: "Running",
}

// Result is what came of a test.
type Result struct {
	// Seen are the answers to the client, in their order.
	Seen     []string           `json:"seen"`
	Outcomes map[string]Outcome `json:"outcomes"`
}

// Outcome is how an instance ended.
type Outcome struct {
	// Status is the runtime status; empty: there is no such instance.
	Status string        `json:"status"`
	Custom program.Value `json:"custom,omitempty"`
	Output program.Value `json:"output,omitempty"`
	// Contains is, for an expected outcome, a text that the output has in place of
	// Output: how failures are worded is not part of the tests.
	Contains string `json:"contains,omitempty"`
}

// Generator makes tests.
type Generator struct {
	// Late is by how much what must come second comes after what must come first.
	// It is real time on a real host, and must be longer than any crash takes to
	// recover from. 0: 4 seconds.
	Late time.Duration
	// Apart makes clients wait until an instance has taken an event in before they
	// tell another one what the first would hear of. A test is then right for several
	// processes, too: only what one sender tells one instance keeps its order there.
	Apart bool
}

// makers are the kinds of tests.
var makers = map[string]func(g *maker) Test{
	"calls":     calls,
	"waits":     waits,
	"lifecycle": lifecycle,
	"rewinds":   rewinds,
	"races":     races,
	"orphans":   orphans,
	"strangers": strangers,
	"starts":    starts,
	"large":     large,
	"odd":       odd,
	"timeouts":  timeouts,
	"reuse":     reuse,
	"entities":  entities,
	"bank":      bank,
}

// NeedStarter reports whether tests of a kind need a Player with a Starter.
func NeedStarter(kind string) bool { return kind == "reuse" }

// Kinds lists the kinds of tests.
func Kinds() []string { return slices.Sorted(maps.Keys(makers)) }

// Make makes the test of a kind and a seed. It panics for a kind that is not
// one of Kinds.
func Make(kind string, seed uint64) Test { return Generator{}.Make(kind, seed) }

// Make is the function Make with the generator's settings.
func (g Generator) Make(kind string, seed uint64) Test {
	f, ok := makers[kind]
	if !ok {
		panic(fmt.Sprintf("there is no kind %q; there are %v", kind, Kinds()))
	}
	if g.Late == 0 {
		g.Late = 4 * time.Second
	}
	m := newMaker(kind, seed, g)
	t := f(m)
	t.Kind, t.Seed = kind, seed
	return t
}
