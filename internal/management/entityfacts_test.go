package management

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// tells puts a request into the inbox of an entity.
func (s *site) tells(t *testing.T, id history.EntityID, guid string, r history.EntityRequest) {
	t.Helper()
	r.ID = guid
	e := &history.Event{Type: history.EventRaised, ID: history.NoID, Timestamp: begin, Name: history.EntityOperation, Input: r.Encode()}
	if err := s.hub.Tell(t.Context(), id.String(), &taskhub.Telling{ID: guid, Sent: begin, Event: e}); err != nil {
		t.Fatal(err)
	}
}

func guidOf(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// An entity shows its state, whose its lock is and whether that instance still runs, what
// waits, and what it has run.
func TestEntityDetails(t *testing.T) {
	s := newSite(t)
	id := history.NewEntityID("Counter", "a b")
	_, err := s.hub.Commit(t.Context(), &taskhub.Commit{
		InstanceID: id.String(), ExecutionID: "e", Nonce: "n", Time: begin,
		Events: []*history.Event{{
			Type: history.ExecutionStarted, ID: history.NoID, Timestamp: begin, Name: id.String(), Input: history.EntityState{State: history.Payload(`9007199254740993`)}.Encode(),
			Instance: history.InstanceRef{InstanceID: id.String(), ExecutionID: "e"},
			Own: history.Own{Options: history.Payload(`{"lock":{"id":"section","owner":"gone","execution":"x","since":"2026-03-04T05:06:07Z"},` +
				`"recent":[{"op":"add","at":"2026-03-04T05:06:01Z"},{"op":"bad","at":"2026-03-04T05:06:02Z","by":"o","error":"E: <b>"}]}`)},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.tells(t, id, guidOf(1), history.EntityRequest{Operation: "add", Signal: true, Input: history.Payload(`"<script>"`)})
	s.tells(t, id, guidOf(2), history.EntityRequest{LockSet: []history.EntityID{id}, Parent: "waiter", ParentExecution: "y"})
	s.tells(t, id, guidOf(3), history.EntityRequest{Operation: "get", Parent: "o", Section: "section"})
	got := read[entityView](t, s, "/entities/COUNTER/a%20b/details")
	if !got.Exists || *got.State.Text != "9007199254740993" || got.Waiting != 3 || got.LockedBy != "gone" || got.Lock == nil || !got.Lock.Orphan || got.Lock.Section != "section" {
		t.Errorf("%+v, lock %+v", got, got.Lock)
	}
	kinds := ""
	for _, w := range got.Backlog {
		kinds += w.Kind + " " + w.Operation + " " + w.By + ","
	}
	if kinds != "signal add ,lock  waiter,operation get o," || *got.Backlog[0].Input.Text != `"<script>"` {
		t.Errorf("backlog %s %+v", kinds, got.Backlog)
	}
	if len(got.Operations) != 2 || got.Operations[0].Operation != "bad" || got.Operations[0].Error != "E: <b>" || got.Operations[1].By != "" {
		t.Errorf("operations %+v", got.Operations)
	}
	if cut := read[entityView](t, s, "/entities/counter/a%20b/details?top=1"); len(cut.Backlog) != 1 || !cut.More {
		t.Errorf("cut %+v", cut)
	}
	if w := s.do(http.MethodGet, operators+"/entities/counter/other/details", ""); w.Code != http.StatusNotFound {
		t.Errorf("other: %d %s", w.Code, w.Body)
	}
	// What waits for an entity that is not there yet is seen.
	s.tells(t, history.NewEntityID("Counter", "new"), guidOf(4), history.EntityRequest{Operation: "add"})
	if v := read[entityView](t, s, "/entities/counter/new/details"); v.Exists || v.State != nil || len(v.Backlog) != 1 {
		t.Errorf("new %+v", v)
	}
}

// The list with details has short states, backlogs and locks, and on demand what does not
// exist any more.
func TestEntityRows(t *testing.T) {
	s := newSite(t)
	put := func(id, state, status string) {
		s.put(t, id, history.Running, func(r *taskhub.Instance) {
			r.Name, r.Input, r.CustomStatus = id, history.EntityState{State: history.Payload(state)}.Encode(), history.Payload(status)
		})
	}
	put("@counter@a", `1`, `{"entityExists":true,"queueSize":7,"lockedBy":"o"}`)
	put("@counter@big", `"`+strings.Repeat("x", 5000)+`"`, `{"entityExists":true}`)
	put("@device@d", `null`, `{}`)
	rows := read[[]entityFacts](t, s, "/entities?details=true&fetchState=true")
	if len(rows) != 2 || rows[0].Waiting != 7 || rows[0].LockedBy != "o" || *rows[0].State.Text != "1" || rows[1].State.Text != nil || rows[1].State.Bytes != 5002 {
		t.Errorf("%+v", rows)
	}
	if rows := read[[]entityFacts](t, s, "/entities?details=true&includeDeleted=true"); len(rows) != 3 || rows[2].Exists || rows[2].ID.Name != "device" {
		t.Errorf("%+v", rows)
	}
	if rows := read[[]entityFacts](t, s, "/entities/counter?details=true&keyPrefix=b"); len(rows) != 1 || rows[0].ID.Key != "big" {
		t.Errorf("%+v", rows)
	}
	if w := s.do(http.MethodGet, operators+"/entities?keyPrefix=b", ""); w.Code != http.StatusBadRequest {
		t.Errorf("a prefix without a name: %d", w.Code)
	}
}

// A call waits for the answer, gives up when its time is over, and gets the answer when it
// is repeated with its id.
func TestCallEntity(t *testing.T) {
	s := newSite(t)
	id := history.NewEntityID("Counter", "k")
	const target = operators + "/entities/counter/k/call?op=add&timeout=1"
	w := s.do(http.MethodPost, target+"&requestId="+guidOf(1), `1`)
	if w.Code != http.StatusAccepted || !strings.Contains(w.Body.String(), guidOf(1)) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for n, c := range map[int]struct {
		answer history.EntityAnswer
		want   string
	}{
		1: {history.EntityAnswer{Result: history.Payload(`9007199254740993`)}, `"result":9007199254740993}`},
		2: {history.EntityAnswer{}, `"requestId":"` + guidOf(2) + `"}`},
		3: {history.EntityAnswer{Failure: &history.FailureDetails{ErrorType: "E", ErrorMessage: "no"}}, `"failure":{"type":"E","message":"no"}}`},
	} {
		if n > 1 {
			s.tells(t, id, guidOf(n), history.EntityRequest{Operation: "add", Client: true})
		}
		s.answers(t, id, guidOf(n), c.answer)
		w := s.do(http.MethodPost, target+"&requestId="+guidOf(n), `1`)
		if w.Code != http.StatusOK || !strings.HasSuffix(w.Body.String(), c.want) {
			t.Errorf("%d: %d %s, want %s", n, w.Code, w.Body, c.want)
		}
	}
	for query, text := range map[string]string{"": `\"op\"`, "op=add&requestId=x": "GUID", "op=add&timeout=soon": `\"timeout\"`, "op=a%0Ab": "operation"} {
		if w := s.do(http.MethodPost, operators+"/entities/counter/k/call?"+query, ""); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), text) {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}

// answers answers the requests that wait for an entity.
func (s *site) answers(t *testing.T, id history.EntityID, request string, a history.EntityAnswer) {
	t.Helper()
	in, err := s.hub.Look(t.Context(), id.String(), taskhub.LookOptions{Now: begin.Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	head, err := s.hub.Head(t.Context(), id.String())
	if err != nil {
		t.Fatal(err)
	}
	c := &taskhub.Commit{
		InstanceID: id.String(), ExecutionID: request, Nonce: request, Time: begin, Fence: head, NewExecution: head.ETag != "",
		Events: []*history.Event{{
			Type: history.ExecutionStarted, ID: history.NoID, Timestamp: begin, Name: id.String(), Input: history.EntityState{}.Encode(),
			Instance: history.InstanceRef{InstanceID: id.String(), ExecutionID: request},
		}},
		Answers: []taskhub.Answer{{Telling: request, Payload: a.Encode()}},
	}
	for _, row := range in.Rows {
		c.Takes = append(c.Takes, taskhub.Take{Key: row.Key, Event: -1})
	}
	if _, err := s.hub.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

// A clean removes what is of no use, and refuses to guess what that is.
func TestCleanEntities(t *testing.T) {
	s := newSite(t)
	s.put(t, "@counter@empty", history.Running, func(r *taskhub.Instance) {
		r.Name, r.Input, r.CustomStatus = r.ID, history.EntityState{}.Encode(), history.Payload(`{}`)
	})
	for _, query := range []string{"", "?removeEmpty=false", "?removeEmpty=true&emptyFor=x"} {
		if w := s.do(http.MethodPost, operators+"/entities/clean"+query, ""); w.Code != http.StatusBadRequest {
			t.Errorf("%q: %d %s", query, w.Code, w.Body)
		}
	}
	for _, want := range []int{1, 0} {
		w := s.do(http.MethodPost, operators+"/entities/clean?removeEmpty=true&releaseOrphanedLocks=true", "")
		if w.Code != http.StatusOK || w.Body.String() != fmt.Sprintf(`{"emptyEntitiesRemoved":%d,"orphanedLocksReleased":0}`, want) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	// Neither of this through links, nor by a page that only shows.
	for _, target := range []string{"/entities/clean?removeEmpty=true", "/entities/counter/k/call?op=add", "/entities/counter/k/details"} {
		if w := s.do(http.MethodPost, links+target, ""); w.Code != http.StatusNotFound {
			t.Errorf("%s through a link: %d", target, w.Code)
		}
		if w := s.do(http.MethodPost, operators+target, "", pageHeader, "1"); w.Code != http.StatusForbidden && w.Code != http.StatusNotFound {
			t.Errorf("%s by a page that only shows: %d", target, w.Code)
		}
	}
}
