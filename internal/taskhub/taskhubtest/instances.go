package taskhubtest

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

func insertDecides(t *testing.T, h Harness) {
	first := row("a")
	must(t, h.Store.Insert(t.Context(), first))
	if first.ETag == "" {
		t.Error("no ETag")
	}
	second := row("a")
	second.ExecutionID = "x2"
	if err := h.Store.Insert(t.Context(), second); !errors.Is(err, taskhub.ErrExists) {
		t.Errorf("second insert: %v", err)
	}
	if got := value(h.Store.Instance(t.Context(), "a"))(t); got.ExecutionID != "x1" || got.ETag != first.ETag {
		t.Errorf("got %+v", got)
	}
	if _, err := h.Store.Instance(t.Context(), "b"); !errors.Is(err, taskhub.ErrNotFound) {
		t.Errorf("unknown id: %v", err)
	}
}

func conditionalChanges(t *testing.T, h Harness) {
	r := row("a")
	must(t, h.Store.Insert(t.Context(), r))
	running := history.Running
	etag := value(h.Store.Merge(t.Context(), "a", taskhub.Change{ETag: r.ETag, Status: &running, Updated: moment}))(t)
	if _, err := h.Store.Merge(t.Context(), "a", taskhub.Change{ETag: r.ETag, Status: &running}); !errors.Is(err, taskhub.ErrChanged) {
		t.Errorf("merge with an old ETag: %v", err)
	}
	if _, err := h.Store.Merge(t.Context(), "b", taskhub.Change{Status: &running}); !errors.Is(err, taskhub.ErrNotFound) {
		t.Errorf("merge of a missing row: %v", err)
	}
	if _, err := h.Store.Instance(t.Context(), "b"); !errors.Is(err, taskhub.ErrNotFound) {
		t.Errorf("the merge made a row: %v", err)
	}
	next := row("a")
	next.ExecutionID = "x2"
	if err := h.Store.Replace(t.Context(), next, r.ETag); !errors.Is(err, taskhub.ErrChanged) {
		t.Errorf("replace with an old ETag: %v", err)
	}
	out := history.Payload("done")
	etag = value(h.Store.Merge(t.Context(), "a", taskhub.Change{ETag: etag, Output: &out}))(t)
	must(t, h.Store.Replace(t.Context(), next, etag))
	got := value(h.Store.Instance(t.Context(), "a"))(t)
	if got.ExecutionID != "x2" || got.Output != nil || got.ETag != next.ETag {
		t.Errorf("after replace: %+v", got)
	}
	if err := h.Store.Replace(t.Context(), row("b"), "W/\"x\""); !errors.Is(err, taskhub.ErrNotFound) && !errors.Is(err, taskhub.ErrChanged) {
		t.Errorf("replace of a missing row: %v", err)
	}
}

func whatIsKept(t *testing.T, h Harness) {
	generation := int32(3)
	completed := history.Completed
	for _, id := range []string{"plain", "o'neil", "Zürich 日本", "a b%2Fc", "^odd", `say "hi"`} {
		r := &taskhub.Instance{
			ID: id, ExecutionID: "x", Name: "Ö", Version: "1.2", Input: history.Payload(`{"a":"ü"}`), Status: history.Pending,
			Created: moment, Updated: moment, Scheduled: moment.Add(time.Hour), Generation: &generation, Tags: map[string]string{"k": "v'"},
		}
		must(t, h.Store.Insert(t.Context(), r))
		empty := history.Payload("")
		status := history.Payload(`"half"`)
		end := moment.Add(time.Minute)
		r.ETag = value(h.Store.Merge(t.Context(), id, taskhub.Change{ETag: r.ETag, Status: &completed, Output: &empty, CustomStatus: &status, Completed: &end, Updated: end}))(t)
		r.Status, r.Output, r.CustomStatus, r.Completed, r.Updated = completed, empty, status, end, end
		if got := value(h.Store.Instance(t.Context(), id))(t); !reflect.DeepEqual(got, r) {
			t.Errorf("got  %+v\nwant %+v", got, r)
		}
	}
	big := row("big")
	big.Input = history.Payload(strings.Repeat("x", 20<<10))
	must(t, h.Store.Insert(t.Context(), big))
}
