package durabletest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/opening"
)

// Replay runs the code of today over a history that was saved, and fails the
// test where they part: instances of that kind would be parked. No activity
// runs. The history is JSON in one of these forms:
//
//   - rows of the History table: an array, an object with a "value", or one row a
//     line. This is what [Instance.HistoryJSON] writes and storage tools export;
//     several instances may be in one file;
//   - events of the engine, with numbers as their EventType, as
//     "func durable get-history" prints them;
//   - the answer of the management API to a status request with
//     showHistory=true&showHistoryOutput=true, or its historyEvents alone.
//
// The API leaves away which call an end belongs to, in which order different
// functions were called, versions and parents. There, calls of one function are
// taken to have been made in the order of their times and then of their ends,
// and code that makes the same calls in another order is not found out. A
// history that was rewound cannot be read in that form. The other forms have
// everything.
func Replay(t testing.TB, saved []byte, functions ...durable.Registration) {
	t.Helper()
	Options{}.Replay(t, saved, functions...)
}

// Replay is the function Replay with options, of which App and Settings count.
// The setting strictReplay compares the inputs of calls and the times of timers,
// too, where they were recorded: the answer of the management API has none to
// compare.
func (o Options) Replay(t testing.TB, saved []byte, functions ...durable.Registration) {
	t.Helper()
	if err := o.Check(saved, functions...); err != nil {
		t.Errorf("durabletest: %v", err)
	}
}

// Check is Replay for use outside of tests. Code that does not fit the history
// is a [*Mismatch]; code that blocks for ten seconds is given up, and its
// goroutine is lost; of several instances, the errors are joined. Other errors say
// what is wrong with the history or the functions.
func Check(saved []byte, functions ...durable.Registration) error {
	return Options{}.Check(saved, functions...)
}

// Check is the function Check with options, of which App and Settings count.
func (o Options) Check(saved []byte, functions ...durable.Registration) error {
	r := opening.Request{Settings: json.RawMessage(o.Settings)}
	if o.App != nil {
		r.App = o.App
	}
	for _, f := range functions {
		r.Functions = append(r.Functions, f)
	}
	app, err := opening.Open(r)
	if err != nil {
		return err
	}
	defer app.Release()
	records, err := parse(saved)
	if err != nil {
		return fmt.Errorf("reading a saved history: %w", err)
	}
	var errs []error
	for _, rec := range records {
		errs = append(errs, rec.check(app))
	}
	return errors.Join(errs...)
}

// Mismatch is code that does not do what a history records.
type Mismatch struct {
	// InstanceID is empty where the history does not say it.
	InstanceID   string
	Orchestrator string
	// Position is the place in the history at which they part, from 0.
	Position int
	// Expected is what the history has there, Actual what the code asks for;
	// "nothing" where there is none.
	Expected, Actual string
	// Place is where the code asks for it, as file:line; empty where it is not
	// known.
	Place string

	events Events
	// sameCode means that the code has made the history, in this test.
	sameCode bool
}

// around is how many events are shown around a mismatch.
const around = 3

// Error shows what differs, with the events around it, and says what to do.
func (m *Mismatch) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "orchestrator %q does not fit the history", m.Orchestrator)
	if m.InstanceID != "" {
		fmt.Fprintf(&b, " of instance %s", m.InstanceID)
	}
	fmt.Fprintf(&b, ": at event %d the history has %s, the code asks for %s", m.Position, m.Expected, m.Actual)
	if m.Place != "" {
		fmt.Fprintf(&b, " (%s)", m.Place)
	}
	b.WriteString("\n\n")
	line := func(mark string, n int) { fmt.Fprintf(&b, "%s %4d  %v\n", mark, n, m.events[n]) }
	for n := max(m.Position-around, 0); n < m.Position; n++ {
		line(" ", n)
	}
	next := m.Position
	if m.Expected != nothing {
		line("-", next)
		next++
	}
	if m.Actual != nothing {
		fmt.Fprintf(&b, "+       %s\n", m.Actual)
	}
	for n := next; n < min(next+around, len(m.events)); n++ {
		line(" ", n)
	}
	b.WriteString("\n")
	if m.sameCode {
		b.WriteString(sameCodeHint)
	} else {
		b.WriteString("Keep the old code for instances in flight: guard the change with durable.Patched or a version.")
	}
	return b.String()
}

// sameCodeHint says what to look for where the code has not changed.
const sameCodeHint = "The code is the same, so it depends on what a replay does not repeat: " +
	"the clock (use Context.Now), random numbers (Context.NewGUID, SideEffect), the order of a map (sort the keys), " +
	"global or captured variables."

const nothing = "nothing"

// record is one execution that was saved.
type record struct {
	instance string
	events   []*history.Event
	// projected is set for a history of the API: for each event the time at
	// which its action was asked for.
	projected []projected
}

func (r *record) check(app *opening.App) error {
	started := r.started()
	if started == nil {
		return fmt.Errorf("the history of instance %q has no ExecutionStarted event", r.instance)
	}
	if r.instance == "" {
		r.instance = started.Instance.InstanceID
	}
	if _, err := app.Worker.Programs(started.Name, started.Version); err != nil {
		return fmt.Errorf("instance %q: %w", r.instance, err)
	}
	o := engine.Options{InstanceID: r.instance, Program: app.Worker.Programs, MaxActions: app.Worker.MaxActions, Strict: app.Worker.Strict, Places: true}
	if r.projected != nil {
		return r.drive(o)
	}
	return r.replay(o)
}

func (r *record) started() *history.Event {
	for _, e := range r.events {
		if e.Type == history.ExecutionStarted {
			return e
		}
	}
	return nil
}

// replay replays turn by turn, so that the turn is known in which they part.
func (r *record) replay(o engine.Options) error {
	i := engine.New(o)
	defer i.Close()
	alarm := giveUpLater(i)
	defer alarm.Stop()
	for from := 0; from < len(r.events); {
		to := from + 1
		for to < len(r.events) && r.events[to].Type != history.OrchestratorStarted {
			to++
		}
		alarm.Reset(patience)
		if err := i.Load(r.events[from:to]); err != nil {
			return r.located(err, from, to)
		}
		from = to
	}
	return nil
}

// patience is how long code may take for a turn before it is given up.
const patience = 10 * time.Second

// giveUpLater gives up code that blocks.
func giveUpLater(i *engine.Instance) *time.Timer {
	return time.AfterFunc(patience, func() { i.GiveUp(i.Blocked(engine.Stacks()), func() {}) })
}

// located finds the place in the turn at which code and history part.
func (r *record) located(err error, from, to int) error {
	var differs *engine.NonDeterminismError
	if !errors.As(err, &differs) {
		return fmt.Errorf("events %d to %d: %w", from, to-1, err)
	}
	at := to
	if differs.Expected == nothing && r.events[to-1].Type == history.OrchestratorCompleted {
		at = to - 1
	}
	for n := from; n < to && differs.Expected != nothing; n++ {
		if e := r.events[n]; e.ID == differs.Position {
			at = n
			break
		}
	}
	m := r.mismatch(at, differs.Expected, differs.Actual)
	m.Place = differs.Place
	return m
}

func (r *record) mismatch(at int, expected, actual string) *Mismatch {
	events := view(r.events)
	for n := range r.projected {
		events[n].TaskID = -1 // the API does not say it
	}
	return &Mismatch{
		InstanceID: r.instance, Orchestrator: r.started().Name, Position: at,
		Expected: expected, Actual: actual, events: events,
	}
}
