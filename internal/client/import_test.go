package client

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
	"github.com/durable-go/functions/internal/taskhub/memory"
)

var began = time.Date(2026, 3, 4, 5, 6, 7, 123456700, time.UTC)

// finished is the history of an instance that has called n activities.
func finished(id, execution string, n int) Import {
	parent := &history.Parent{Name: "Parent", Instance: history.InstanceRef{InstanceID: "p", ExecutionID: "px"}, TaskID: 3}
	generation := int32(2)
	i := Import{InstanceID: id, ExecutionID: execution, Events: []*history.Event{
		{Type: history.OrchestratorStarted, ID: history.NoID, Timestamp: began},
		{
			Type: history.ExecutionStarted, ID: history.NoID, Timestamp: began, Name: "Order", Version: "2.0", Input: history.Payload(`{"n":7}`),
			Instance: history.InstanceRef{InstanceID: id, ExecutionID: execution}, Parent: parent, Tags: map[string]string{"region": "eu"}, Generation: &generation,
		},
	}}
	for a := range int32(n) {
		i.Events = append(i.Events,
			&history.Event{Type: history.TaskScheduled, ID: a, Timestamp: began, Name: "Pay", Own: history.Own{InputHash: 5}},
			&history.Event{Type: history.OrchestratorCompleted, ID: history.NoID, Timestamp: began, Own: history.Own{Options: history.Payload(fmt.Sprintf("%q", a))}},
			&history.Event{Type: history.OrchestratorStarted, ID: history.NoID, Timestamp: began},
			&history.Event{Type: history.TaskCompleted, ID: history.NoID, TaskID: a, Timestamp: began, Result: history.Payload(`"paid"`)},
		)
	}
	i.Events = append(i.Events,
		&history.Event{Type: history.ExecutionCompleted, ID: int32(n), Timestamp: began.Add(time.Hour), Status: history.Completed, Result: history.Payload(`"shipped"`)},
		&history.Event{Type: history.OrchestratorCompleted, ID: history.NoID, Timestamp: began.Add(time.Hour)},
	)
	return i
}

// whole checks that an imported instance is there as it was.
func whole(t *testing.T, hub taskhub.Store, i Import) {
	t.Helper()
	row, err := hub.Instance(t.Context(), i.InstanceID)
	if err != nil {
		t.Fatal(err)
	}
	last := history.Payload(fmt.Sprintf("%q", (len(i.Events)-4)/4-1))
	if row.Name != "Order" || row.Version != "2.0" || row.Status != history.Completed || string(row.Output) != `"shipped"` || string(row.Input) != `{"n":7}` ||
		!row.Created.Equal(began) || !row.Completed.Equal(began.Add(time.Hour)) || row.Tags["region"] != "eu" || row.ParentInstanceID != "p" ||
		row.ExecutionID != i.ExecutionID || *row.Generation != 2 || len(i.Events) > 4 && !bytes.Equal(row.CustomStatus, last) {
		t.Errorf("the row is %+v", row)
	}
	stored, err := hub.Load(t.Context(), i.InstanceID, 0)
	if err != nil || len(stored.Events) != len(i.Events) || !stored.Fence.State.Ended || stored.Fence.State.Outcome != history.Completed || stored.Fence.State.Parent == nil {
		t.Fatalf("%d events of %d, %+v, %v", len(stored.Events), len(i.Events), stored.Fence, err)
	}
	for n, e := range stored.Events {
		got := history.AppendRow(nil, "i", "0", "x", e, true)
		if want := history.AppendRow(nil, "i", "0", "x", i.Events[n], true); !bytes.Equal(got, want) {
			t.Errorf("event %d\n%s\nwant\n%s", n, got, want)
		}
	}
}

// An instance is there after its import as it was in its own hub; what is in the way is
// left, or replaced where that is asked for and it has finished.
func TestImport(t *testing.T) {
	for name, open := range map[string]hubtest.Kind{"memory": hubtest.Memory, "strict": hubtest.Strict} {
		t.Run(name, func(t *testing.T) {
			hub := open(t)
			control := taskhub.ControlQueue(hubtest.Name)
			c := New(hub, Options{Queue: control, MaxPayload: 1 << 20})
			one, other := finished("order 7", "x1", 60), finished("order 7", "x2", 1)
			importing := func(what string, i Import, imported bool, cause error) {
				t.Helper()
				got, err := c.Import(t.Context(), i)
				if got != imported || !errors.Is(err, cause) {
					t.Errorf("%s: %v, %v, want %v, %v", what, got, err, imported, cause)
				}
			}
			importing("a new id", one, true, nil)
			whole(t, hub, one)
			importing("the same again", one, false, nil)
			importing("another execution", other, false, ErrExists)
			whole(t, hub, one)
			other.Replace = true
			importing("in its place", other, true, nil)
			whole(t, hub, other)

			started, err := c.Start(t.Context(), Start{Name: "Order", InstanceID: "runs"})
			if err != nil {
				t.Fatal(err)
			}
			importing("an id that runs", finished("runs", "x1", 1), false, ErrExists)
			inPlace := finished("runs", "x1", 1)
			inPlace.Replace = true
			importing("in the place of what runs", inPlace, false, ErrRunning)
			if row, err := hub.Instance(t.Context(), "runs"); err != nil || row.ExecutionID != started.ExecutionID {
				t.Errorf("what runs is %+v, %v", row, err)
			}
			if n := hub.Pending(control); n > 1 {
				t.Errorf("%d messages were sent", n)
			}
		})
	}
}

// What is no whole, finished history is refused, and nothing is changed.
func TestImportRefuses(t *testing.T) {
	hub := newHub(t)
	c := New(hub, Options{Queue: queue, MaxPayload: 1000})
	for name, change := range map[string]struct {
		change func(*Import)
		want   error
	}{
		"nothing":          {func(i *Import) { i.Events = nil }, ErrNotWhole},
		"no execution":     {func(i *Import) { i.ExecutionID = "" }, ErrNotWhole},
		"no beginning":     {func(i *Import) { i.Events = i.Events[2:] }, ErrNotWhole},
		"two beginnings":   {func(i *Import) { i.Events = append(i.Events, i.Events[1]) }, ErrNotWhole},
		"no end":           {func(i *Import) { i.Events = i.Events[:len(i.Events)-2] }, ErrNotFinished},
		"an entity":        {func(i *Import) { i.InstanceID = "@account@alice" }, ErrInvalidInstanceID},
		"a large payload":  {func(i *Import) { i.Events[1].Input = make([]byte, 1001) }, taskhub.ErrTooLarge},
		"a time too early": {func(i *Import) { i.Events[2].Timestamp = time.Date(1066, 1, 1, 0, 0, 0, 0, time.UTC) }, taskhub.ErrRefused},
	} {
		i := finished("i", "x1", 1)
		change.change(&i)
		if imported, err := c.Import(t.Context(), i); imported || !errors.Is(err, change.want) {
			t.Errorf("%s: %v, %v, want %v", name, imported, err, change.want)
		}
		if _, err := hub.Instance(t.Context(), i.InstanceID); !errors.Is(err, taskhub.ErrNotFound) {
			t.Errorf("%s: a row is there: %v", name, err)
		}
		if head, err := hub.Head(t.Context(), i.InstanceID); err != nil || head.ETag != "" {
			t.Errorf("%s: a history is there: %+v %v", name, head, err)
		}
	}
}

// An import that is cut at any of its requests leaves nothing that could go on, and is
// whole when it is repeated.
func TestImportIsRepeated(t *testing.T) {
	for cut := range 12 {
		left, broken := cut, true
		hub := newHub(t)
		hub.Hub = memory.New(memory.Options{Cut: func(int) error {
			if left--; left < 0 && broken {
				return errLost
			}
			return nil
		}})
		c := New(hub, Options{Queue: queue, MaxPayload: 1000, After: at})
		i := finished("i", "x1", 100)
		_, err := c.Import(t.Context(), i)
		if head, headErr := hub.Head(t.Context(), "i"); headErr != nil || head.ETag != "" && (!head.State.Ended || head.State.Origin != "") {
			t.Errorf("cut %d: the history says %+v, %v", cut, head, headErr)
		}
		broken = false
		if imported, again := c.Import(t.Context(), i); again != nil || imported == (err == nil) {
			t.Errorf("cut %d: %v, then %v, %v", cut, err, imported, again)
		}
		whole(t, hub, i)
	}
	for _, faults := range []func(*faulty) map[string]error{func(f *faulty) map[string]error { return f.before }, func(f *faulty) map[string]error { return f.after }} {
		hub := newHub(t)
		c := New(hub, Options{Queue: queue, MaxPayload: 1000, After: at})
		i := finished("i", "x1", 3)
		faults(hub)["Insert"] = errLost
		first, err := c.Import(t.Context(), i)
		hub.heal()
		second, again := c.Import(t.Context(), i)
		if again != nil || first == second || first != (err == nil) {
			t.Errorf("%v, %v, then %v, %v", first, err, second, again)
		}
		whole(t, hub, i)
	}
}

// at is a wait that is over at once.
func at(time.Duration) <-chan time.Time {
	c := make(chan time.Time, 1)
	c <- time.Time{}
	return c
}

// A history whose row is gone is not written over while it goes on.
func TestImportSparesDamage(t *testing.T) {
	hub := newHub(t)
	c := New(hub, Options{Queue: queue, MaxPayload: 1000})
	running := &taskhub.Commit{InstanceID: "i", ExecutionID: "x9", Nonce: "n", Time: began, Events: finished("i", "x9", 1).Events[:2], State: &taskhub.State{Origin: "x9"}}
	if _, err := hub.Commit(t.Context(), running); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Import(t.Context(), finished("i", "x1", 1)); !errors.Is(err, ErrRunning) {
		t.Errorf("imported over a history that goes on: %v", err)
	}
	if head, err := hub.Head(t.Context(), "i"); err != nil || head.ExecutionID != "x9" {
		t.Errorf("%+v, %v", head, err)
	}
}
