// Package taskhubtest is what every implementation of taskhub.Store must do.
package taskhubtest

import (
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// Harness is one store under test.
type Harness struct {
	Store taskhub.Store
	// Wait lets time pass for the visibility of messages.
	Wait func(time.Duration)
	// LoseAnswer makes the next write of a table happen without its answer:
	// the caller sees an error that is no sentinel, or, where the store
	// resolves that itself, success. Nil where the store cannot.
	LoseAnswer func()
	// Encodes means that the store keeps payloads in a longer form, so that a column
	// has room for less of them.
	Encodes bool
	// Requests counts the requests to the service so far. Nil where there is
	// none.
	Requests func() int
	// Cut ends the process at a request, as Network.Cut does. Nil where the
	// calls of a store cannot be cut.
	Cut func(at int, after bool)
}

func (h Harness) requests() int {
	if h.Requests == nil {
		return 0
	}
	return h.Requests()
}

// Run runs the suite. open is called for each case.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	cases := []struct {
		name string
		test func(*testing.T, Harness)
	}{
		{"queue/send and receive", sendAndReceive},
		{"queue/lease", leases},
		{"queue/lost lease", lostLease},
		{"queue/delay", delayed},
		{"queue/absent data", absent},
		{"queue/large messages", largeMessages},
		{"queue/facts", queueFacts},
		{"instances/insert decides", insertDecides},
		{"instances/conditional changes", conditionalChanges},
		{"instances/what is kept", whatIsKept},
		{"list/filters", listFilters},
		{"list/rows", listedRows},
		{"list/pages", listPages},
		{"list/tokens", listTokens},
		{"clear", clears},
		{"purge", purge},
		{"purge/long history", purgeLong},
		{"purge/changed row", purgeChanged},
		{"purge/history without a row", purgeWithoutRow},
		{"purge/no resurrection", purgedNotResurrected},
		{"purge/many at once", purgeTogether},
		{"purge/cut at every request", purgeCut},
		{"purge/cut, then a start", purgeCutThenStart},
		{"rewind/cut at every request", rewindCut},
		{"rewind", rewind},
		{"rewind/fence", rewindFence},
		{"rewind/many marks", rewindMany},
		{"history/growth", growth},
		{"history/parts", parts},
		{"history/fence", fence},
		{"history/lost answer", lostAnswer},
		{"history/lost answers of every kind", lostAnswers},
		{"history/repeated commit", repeatedCommit},
		{"history/many events", manyEvents},
		{"history/new execution", newExecution},
		{"history/race for a new execution", raceForNewExecution},
		{"history/events that storage keeps", everyEvent},
		{"history/ids of every kind", historyIDs},
		{"history/row keys of executions", rowKeys},
		{"history/incremental load", incrementalLoad},
		{"history/inputs are not kept", inputsAreNotKept},
		{"history/ended before its events", endedFirst},
		{"history/ended before its events, cut at every request", endedFirstCut},
		{"inbox/tellings", tellings},
		{"inbox/told again", toldAgain},
		{"inbox/many tellings", toldMany},
		{"inbox/lost answers", toldWithLosses},
		{"inbox/cut at every request", toldCut},
		{"inbox/refused tellings", tellingsRefused},
		{"inbox/order of storing", storedOrder},
		{"inbox/control first", controlFirst},
		{"inbox/due", due},
		{"inbox/backlog", backlog},
		{"inbox/limit", limited},
		{"inbox/limit of bytes", limitedBytes},
		{"inbox/bytes of a look", lookedBytes},
		{"inbox/discard", discard},
		{"inbox/receipts", receipts},
		{"inbox/ids of every kind", oddIDs},
		{"inbox/large tellings", largeTellings},
		{"inbox/is no history", inboxIsNoHistory},
		{"inbox/ahead", ahead},
		{"inbox/voids", voids},
		{"takes/answers", answers},
		{"takes", takes},
		{"takes/rows that are gone", taken},
		{"takes/conflict before gone rows", conflictBeforeTaken},
		{"takes/lost answers", takesWithLosses},
		{"takes/chains of transactions", takesInChains},
		{"takes/cut at every request", takesCut},
		{"takes/refused", takesRefused},
		{"state", states},
		{"state/rewind", stateOfRewind},
		{"state/chains of transactions", stateInChains},
		{"state/instance row", originOfRow},
		{"purge/inbox", purgeInbox},
		{"purge/inbox of a later execution", purgeSparesLater},
		{"limits/times that are refused", refusedTimes},
		{"limits/times that are kept", keptTimes},
		{"limits/names that are refused", refusedNames},
		{"large/sizes around the limit of a column", columnSizes},
		{"large/instance rows", largeRows},
		{"large/many events", manyLargeEvents},
		{"large/repeated commit", repeatedLargeCommit},
		{"large/new execution", largeNewExecution},
		{"large/what is written is read", largeRoundTrip},
		{"progress", progress},
		{"secrets", secrets},
		{"secrets/race", secretsRace},
		{"secrets/replace", replaceSecret},
		{"owner", owner},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := open(t)
			must(t, h.Store.Create(t.Context(), taskhub.Owner{}))
			must(t, h.Store.Create(t.Context(), taskhub.Owner{}))
			c.test(t, h)
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// value is must for calls with a result.
func value[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		must(t, err)
		return v
	}
}

// moment is a time that storage keeps exactly.
var moment = time.Date(2026, 3, 4, 5, 6, 7, 123456700, time.UTC)

func raised(id, input string) *taskhub.Message {
	return &taskhub.Message{
		ID:     taskhub.GUID(id),
		Target: history.InstanceRef{InstanceID: id},
		Event:  &history.Event{Type: history.EventRaised, ID: history.NoID, Name: "E", Input: history.Payload(input), Timestamp: moment},
	}
}

func row(id string) *taskhub.Instance {
	generation := int32(0)
	return &taskhub.Instance{
		ID: id, ExecutionID: "x1", Name: "O", Input: history.Payload(`"in"`), Status: history.Pending,
		Created: moment, Updated: moment, Generation: &generation, Tags: map[string]string{"a": "b"},
	}
}
