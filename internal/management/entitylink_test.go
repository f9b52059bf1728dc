package management

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// holds puts an entity with a state.
func (s *site) holds(t *testing.T, id history.EntityID, state string) {
	t.Helper()
	_, err := s.hub.Commit(t.Context(), &taskhub.Commit{
		InstanceID: id.String(), ExecutionID: "e", Nonce: id.String(), Time: begin,
		Events: []*history.Event{{
			Type: history.ExecutionStarted, ID: history.NoID, Timestamp: begin, Name: id.String(), Input: history.EntityState{State: history.Payload(state)}.Encode(),
			Instance: history.InstanceRef{InstanceID: id.String(), ExecutionID: "e"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The link of an entity reads its state, and opens no other door: not that of another
// entity or spelling, not its signals, and no instance.
func TestLinkOfAnEntity(t *testing.T) {
	for _, key := range []string{"k", "", "a b@ä'%"} {
		s := newSite(t)
		id := history.NewEntityID("Counter", key)
		s.holds(t, id, `{"n":7}`)
		s.holds(t, history.NewEntityID("Counter", "other"), `1`)
		s.lived(t, "i", history.Running)
		before := s.everything(t)
		text, err := s.Links.Entity(t.Context(), httptest.NewRequest(http.MethodPost, "http://localhost:7071/", nil), id)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if w := s.do(http.MethodGet, u.RequestURI(), ""); w.Code != http.StatusOK || w.Body.String() != `{"n":7}` {
			t.Errorf("%q: %d %s", key, w.Code, w.Body)
		}
		if w := s.do(http.MethodGet, strings.Replace(u.RequestURI(), "/counter/", "/COUNTER/", 1), ""); w.Code != http.StatusOK {
			t.Errorf("%q: names are compared without case, and it is %d", key, w.Code)
		}
		status := s.sign(t, id.String(), opStatus)
		for _, c := range []struct {
			method, target string
			want           int
		}{
			{"GET", u.EscapedPath(), 401},
			{"GET", u.EscapedPath() + "?" + status, 403},
			{"GET", u.EscapedPath() + "?" + s.sign(t, key, opEntity), 403},
			{"GET", links + "/entities/counter/other?" + u.RawQuery, 403},
			{"GET", links + "/entities/counter2/" + url.PathEscape(key+"x") + "?" + u.RawQuery, 403},
			{"GET", links + "/instances/" + url.PathEscape(id.String()) + "?" + u.RawQuery, 403},
			{"GET", links + "/instances/i?" + u.RawQuery, 403},
			{"POST", u.RequestURI() + "&op=add", 404},
			{"DELETE", u.RequestURI(), 404},
			{"GET", links + "/entities?" + u.RawQuery, 404},
			{"GET", links + "/entities/counter?" + u.RawQuery, 404},
		} {
			if w := s.do(c.method, c.target, ""); w.Code != c.want || strings.Contains(w.Body.String(), `"n"`) {
				t.Errorf("%s %s: %d %s, want %d", c.method, c.target, w.Code, w.Body, c.want)
			}
		}
		if after := s.everything(t); after != before {
			t.Errorf("the hub was\n%s\nand is\n%s", before, after)
		}
	}
}

// A link ends with the lifetime of links, and none is made for what is no id.
func TestLinkOfAnEntityEnds(t *testing.T) {
	s := newSite(t)
	r := httptest.NewRequest(http.MethodPost, "http://localhost:7071/", nil)
	id := history.NewEntityID("Counter", "k")
	s.holds(t, id, `1`)
	s.Links.Lifetime = time.Hour
	text, err := s.Links.Entity(t.Context(), r, id)
	if err != nil || !strings.Contains(text, "exp=") {
		t.Errorf("%s, %v", text, err)
	}
	for _, id := range []history.EntityID{{}, {Name: "a@b"}, {Name: "a", Key: "/"}, {Name: "a", Key: "\xff"}} {
		if text, err := s.Links.Entity(t.Context(), r, id); err == nil {
			t.Errorf("%+v: %s", id, text)
		}
	}
}
