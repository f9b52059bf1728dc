package taskhubtest

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// raceForNewExecution has two workers start over one instance. The one that is
// late must load again, not drop what it holds: the execution is its own.
func raceForNewExecution(t *testing.T, h Harness) {
	old := apply(t, h, commit(taskhub.Fence{}, "n1", results(0, 2)...))
	renew := func(execution, nonce string) *taskhub.Commit {
		c := commit(old, nonce, results(10, 3)...)
		c.ExecutionID, c.NewExecution = execution, true
		return c
	}
	first := apply(t, h, renew("x2", "n2"))
	for _, execution := range []string{"x2", "x3"} {
		if _, err := h.Store.Commit(t.Context(), renew(execution, "late "+execution)); !errors.Is(err, taskhub.ErrConflict) {
			t.Errorf("%s after x2: %v", execution, err)
		}
	}
	if _, err := h.Store.Commit(t.Context(), commit(old, "n3", results(2, 1)...)); !errors.Is(err, taskhub.ErrGone) {
		t.Errorf("the old execution after x2: %v", err)
	}
	got := load(t, h, 0)
	sameEvents(t, got.Events, results(10, 3))
	if !reflect.DeepEqual(got.Fence, first) {
		t.Errorf("fence %+v, want %+v", got.Fence, first)
	}
}

// lostAnswers loses the answer of every transaction of a first commit, a long
// one, one without events and a new execution. Each is repeated until it
// succeeds, as a caller does, and is there once.
func lostAnswers(t *testing.T, h Harness) {
	if h.LoseAnswer == nil {
		t.Skip("this store gives every answer")
	}
	var fence taskhub.Fence
	for n, c := range []*taskhub.Commit{
		commit(taskhub.Fence{}, "", results(0, 120)...),
		commit(taskhub.Fence{}, "", results(120, 250)...),
		commit(taskhub.Fence{}, ""),
		commit(taskhub.Fence{}, "", results(370, 1)...),
	} {
		c.Fence, c.Nonce = fence, fmt.Sprint("n", n)
		c.Spilled = []taskhub.Range{{First: int32(n), Last: int32(n)}}
		fence = applyWithLosses(t, h, c)
		if !reflect.DeepEqual(fence.Spilled, c.Spilled) {
			t.Errorf("commit %d: fence %+v", n, fence)
		}
	}
	sameEvents(t, load(t, h, 0).Events, results(0, 371))
	c := commit(fence, "n9", results(900, 5)...)
	c.ExecutionID, c.NewExecution = "x2", true
	fence = applyWithLosses(t, h, c)
	got := load(t, h, 0)
	sameEvents(t, got.Events, results(900, 5))
	if !reflect.DeepEqual(got.Fence, fence) {
		t.Errorf("fence %+v, want %+v", got.Fence, fence)
	}
}

// applyWithLosses repeats a commit whose answers are lost.
func applyWithLosses(t *testing.T, h Harness, c *taskhub.Commit) taskhub.Fence {
	t.Helper()
	for range 5 {
		h.LoseAnswer()
		fence, err := h.Store.Commit(t.Context(), c)
		if err == nil {
			return fence
		}
		if errors.Is(err, taskhub.ErrConflict) || errors.Is(err, taskhub.ErrGone) {
			t.Fatalf("a lost answer looks like a lost race: %v", err)
		}
	}
	return apply(t, h, c)
}

// everyEvent stores one event of each kind that an orchestration has.
func everyEvent(t *testing.T, h Harness) {
	ref := history.InstanceRef{InstanceID: "a'b", ExecutionID: "x1"}
	generation := int32(2)
	text := history.Payload("{\"ü\":\"<&'\\\"\\n😀\u2028\"}")
	at := moment.Add(time.Hour)
	all := []*history.Event{
		{Type: history.OrchestratorStarted, ID: history.NoID},
		{Type: history.ExecutionStarted, ID: history.NoID, Name: "Ö'", Version: "1", Input: text, Instance: ref, Generation: &generation, Tags: map[string]string{"k": "v'"}, ScheduledStart: at},
		{Type: history.TaskScheduled, ID: 0, Name: "A", Own: history.Own{Lease: "l", InputHash: 1<<63 + 5, Options: history.Payload(`{"t":1}`)}},
		{Type: history.TimerCreated, ID: 1, FireAt: at},
		{Type: history.SubOrchestrationInstanceCreated, ID: 2, Name: "Child", InstanceID: "x1:2"},
		{Type: history.EventSent, ID: 3, Name: "E", InstanceID: "other", Input: text},
		{Type: history.OrchestratorCompleted, ID: history.NoID},
		{Type: history.TaskCompleted, ID: history.NoID, TaskID: 0, Result: text, Own: history.Own{Message: "m"}},
		{Type: history.TaskCompleted, ID: history.NoID, TaskID: 0},
		{Type: history.TaskCompleted, ID: history.NoID, TaskID: 0, Result: history.Payload("")},
		{Type: history.TaskFailed, ID: history.NoID, TaskID: 4, Reason: text, Details: text, Failure: &history.FailureDetails{ErrorType: "T", ErrorMessage: "m", StackTrace: text, NonRetriable: true}},
		{Type: history.TimerFired, ID: history.NoID, TaskID: 1, FireAt: at},
		{Type: history.EventRaised, ID: history.NoID, Name: "E'", Input: text},
		{Type: history.ExecutionSuspended, ID: history.NoID, Reason: text},
		{Type: history.ExecutionCompleted, ID: 5, Status: history.Failed, Result: text},
	}
	for _, e := range all {
		e.Timestamp = moment
	}
	apply(t, h, commit(taskhub.Fence{}, "n1", all...))
	sameEvents(t, load(t, h, 0).Events, all)
}

// historyIDs keeps histories apart whose ids look alike to a store.
func historyIDs(t *testing.T, h Harness) {
	ids := []string{"a", "A", "a'b", "a''b", "a/b", "a^0b", `a\b`, "a b", "a%20b", "a+b", "Zürich 日本 😀", `say "hi" <&>`, "a\tb", "a$b,(c)"}
	for n, id := range ids {
		c := commit(taskhub.Fence{}, "n"+id, results(n, 1)...)
		c.InstanceID = id
		fence := apply(t, h, c)
		c = commit(fence, "m"+id, results(100+n, 1)...)
		c.InstanceID = id
		apply(t, h, c)
	}
	for n, id := range ids {
		got := value(h.Store.Load(t.Context(), id, 0))(t)
		sameEvents(t, got.Events, append(results(n, 1), results(100+n, 1)...))
	}
}

// secretsRace creates one secret many times at once.
func secretsRace(t *testing.T, h Harness) {
	got := make([]string, 8)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			raw, err := h.Store.Secrets(t.Context(), "race.json", fmt.Appendf(nil, "writer %d", i))
			if err != nil {
				t.Error(err)
			}
			got[i] = string(raw)
		})
	}
	wg.Wait()
	for _, text := range got {
		if text == "" || text != got[0] {
			t.Fatalf("secrets %q", got)
		}
	}
}
