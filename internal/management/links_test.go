package management

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub/memory"
)

// Every URI of a payload opens its door, and only for its own operation.
func TestLinksAllowWhatTheySay(t *testing.T) {
	s := newSite(t)
	const id = "a b+c'é&=%"
	s.put(t, id, history.Running)
	r := httptest.NewRequest(http.MethodPost, "http://localhost:7071/", nil)
	raw, err := s.Links.Payload(t.Context(), r, id)
	if err != nil {
		t.Fatal(err)
	}
	var uris map[string]string
	if err := json.Unmarshal(raw, &uris); err != nil {
		t.Fatal(err)
	}
	if len(uris) != 9 || uris["id"] != id {
		t.Fatalf("payload %s", raw)
	}
	for _, m := range members {
		u, err := url.Parse(uris[m.name])
		if err != nil {
			t.Fatal(err)
		}
		parts, ok := segments(u, links)
		if !ok || len(parts) < 2 || parts[1] != id {
			t.Fatalf("%s: path %v of %s", m.name, parts, u)
		}
		for _, other := range members {
			err := s.Links.Keys.Check(t.Context(), id, other.op, u.Query())
			if (err == nil) != (other.op == m.op) || err != nil && !errors.Is(err, errSignature) {
				t.Errorf("%s for %s: %v", m.name, other.op, err)
			}
		}
		if err := s.Links.Keys.Check(t.Context(), id+"x", m.op, u.Query()); !errors.Is(err, errSignature) {
			t.Errorf("%s for another instance: %v", m.name, err)
		}
	}
	status, err := url.Parse(uris["statusQueryGetUri"])
	if err != nil {
		t.Fatal(err)
	}
	if w := s.do(http.MethodGet, status.RequestURI(), ""); w.Code != http.StatusAccepted || !strings.Contains(w.Body.String(), `"runtimeStatus":"Running"`) {
		t.Errorf("statusQueryGetUri: %d %s", w.Code, w.Body)
	}
}

func TestForgedLinks(t *testing.T) {
	s := newSite(t)
	s.put(t, "i", history.Running)
	good := s.sign(t, "i", opStatus)
	sig := strings.TrimPrefix(good, "op=status&sig=")
	expired, err := s.Links.Keys.Sign(t.Context(), "i", opStatus, begin)
	if err != nil {
		t.Fatal(err)
	}
	later, err := s.Links.Keys.Sign(t.Context(), "i", opStatus, begin.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	foreign := NewKeys(s.hub, "Hub2", func() time.Time { return begin })
	otherHub, err := foreign.Sign(t.Context(), "i", opStatus, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	strangers := NewKeys(memory.New(memory.Options{}), "Hub", time.Now)
	otherKeys, err := strangers.Sign(t.Context(), "i", opStatus, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	const path = links + "/instances/i?"
	cases := []struct {
		name, target string
		want         int
	}{
		{"good", path + good, http.StatusAccepted},
		{"good, with more", path + "reason=x&showInput=false&" + good + "&code=x", http.StatusAccepted},
		{"good, for an hour", path + later, http.StatusAccepted},
		{"no query", path, http.StatusUnauthorized},
		{"no signature", path + "op=status", http.StatusUnauthorized},
		{"empty signature", path + "op=status&sig=", http.StatusUnauthorized},
		{"no operation", path + "sig=" + sig, http.StatusForbidden},
		{"another operation", path + "op=terminate&sig=" + sig, http.StatusForbidden},
		{"signature of another operation", path + s.sign(t, "i", opTerminate), http.StatusForbidden},
		{"operation of another signature", path + strings.Replace(s.sign(t, "i", opTerminate), opTerminate, opStatus, 1), http.StatusForbidden},
		{"two operations", path + "op=terminate&" + good, http.StatusForbidden},
		{"another instance", links + "/instances/j?" + good, http.StatusForbidden},
		{"another case", links + "/instances/I?" + good, http.StatusForbidden},
		{"another instance that there is not", links + "/instances/nobody?" + good, http.StatusForbidden},
		{"an end that was not signed", path + good + "&exp=99999999999", http.StatusForbidden},
		{"no end", path + "op=status&sig=" + strings.Split(later, "&sig=")[1], http.StatusForbidden},
		{"a later end", path + strings.Replace(later, "exp=", "exp=9", 1), http.StatusForbidden},
		{"an end that is no number", path + "exp=x&" + good, http.StatusForbidden},
		{"over", path + expired, http.StatusForbidden},
		{"another hub", path + otherHub, http.StatusForbidden},
		{"other keys", path + otherKeys, http.StatusForbidden},
		{"another key's name", path + strings.Replace(good, "new00000", "old00000", 1), http.StatusForbidden},
		{"cut", path + good[:len(good)-1], http.StatusForbidden},
		{"longer", path + good + "A", http.StatusForbidden},
		{"no key's name", path + strings.Replace(good, "new00000.", "", 1), http.StatusForbidden},
		{"the key's name alone", path + "op=status&sig=new00000.", http.StatusForbidden},
		{"a part that cannot be read", path + good + "&x=%zz", http.StatusAccepted},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s.logs.Reset()
			w := s.do(http.MethodGet, c.target, "")
			if w.Code != c.want {
				t.Errorf("%s: %d %s, want %d", c.target, w.Code, w.Body, c.want)
			}
			if s.logs.Len() != 0 {
				t.Errorf("logged: %s", s.logs)
			}
		})
	}
	s.now = begin.Add(time.Hour)
	if w := s.do(http.MethodGet, path+later, ""); w.Code != http.StatusForbidden {
		t.Errorf("a link that is over: %d", w.Code)
	}
}

// What is behind the function key alone is not there for links, whatever they
// are signed for.
func TestLinksDoNotStart(t *testing.T) {
	s := newSite(t)
	for _, op := range []string{"", "start", opStatus, opRestart} {
		for _, target := range []string{"/orchestrators/Orchestrator", "/orchestrators/Orchestrator/i", "/instances", "/instances/"} {
			for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodDelete} {
				w := s.do(method, links+target+"?"+s.sign(t, "", op), "")
				if w.Code != http.StatusNotFound {
					t.Errorf("%s %s signed for %q: %d %s", method, target, op, w.Code, w.Body)
				}
			}
		}
	}
	if n := s.hub.Pending(control); n != 0 {
		t.Errorf("%d starts", n)
	}
}

// A key that no longer signs is good for the links that it signed.
func TestAnOlderKeyChecks(t *testing.T) {
	s := newSite(t)
	s.put(t, "i", history.Running)
	if !strings.Contains(s.sign(t, "i", opStatus), "sig=new00000.") {
		t.Error("not the first key signs")
	}
	keys, err := s.Links.Keys.load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	old := &Keys{hub: "Hub", keys: keys[1:], due: begin.Add(time.Hour), known: begin, now: s.Links.Keys.now}
	query, err := old.Sign(t.Context(), "i", opStatus, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if w := s.do(http.MethodGet, links+"/instances/i?"+query, ""); w.Code != http.StatusAccepted {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// Two processes that need the keys of a new hub at once have the same ones.
func TestKeysAreMadeOnce(t *testing.T) {
	hub := memory.New(memory.Options{})
	queries := make([]string, 8)
	var wg sync.WaitGroup
	for i := range queries {
		wg.Go(func() {
			query, err := NewKeys(hub, "Hub", time.Now).Sign(t.Context(), "i", opStatus, time.Time{})
			if err != nil {
				t.Error(err)
			}
			queries[i] = query
		})
	}
	wg.Wait()
	for _, query := range queries {
		if query != queries[0] || len(query) < 50 {
			t.Fatalf("%v", queries)
		}
	}
}

func TestKeysThatCannotBeRead(t *testing.T) {
	for _, text := range []string{"", "{", `{"keys": []}`, `[]`} {
		hub := memory.New(memory.Options{})
		if _, err := hub.Secrets(t.Context(), "keys.json", []byte(text)); err != nil {
			t.Fatal(err)
		}
		_, err := NewKeys(hub, "Hub", time.Now).Sign(t.Context(), "i", opStatus, time.Time{})
		if err == nil || !strings.Contains(err.Error(), "keys.json") {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

// A hub that does not answer closes the links' door, and opens it again.
func TestKeysThatCannotBeReached(t *testing.T) {
	s := newSite(t)
	s.put(t, "i", history.Running)
	good := s.sign(t, "i", opStatus)
	s.Links.Keys = NewKeys(s.store, "Hub", s.Links.Keys.now)
	s.store.err = errors.New("secret reason")
	w := s.do(http.MethodGet, links+"/instances/i?"+good, "")
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") || !strings.Contains(s.logs.String(), "secret reason") {
		t.Errorf("%d %s; logged: %s", w.Code, w.Body, s.logs)
	}
	if strings.Contains(s.logs.String(), strings.Split(good, "sig=")[1]) {
		t.Error("the signature is in the log")
	}
	s.store.err = nil
	if w := s.do(http.MethodGet, links+"/instances/i?"+good, ""); w.Code != http.StatusAccepted {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// What is signed cannot be cut differently into instance, operation and end.
func FuzzSignature(f *testing.F) {
	f.Add("i", "status", "i", "status")
	f.Add("i1:s", "tatus", "i", "1:status")
	f.Add("", "x", "x", "")
	keys := &Keys{hub: "Hub", keys: []signingKey{{ID: "k", Secret: []byte("0123456789abcdef0123456789abcdef")}}, due: begin.Add(time.Hour), known: begin, now: func() time.Time { return begin }}
	f.Fuzz(func(t *testing.T, id, op, otherID, otherOp string) {
		query, err := keys.Sign(t.Context(), id, url.QueryEscape(op), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		values.Set("op", url.QueryEscape(op))
		if err := keys.Check(t.Context(), id, url.QueryEscape(op), values); err != nil {
			t.Fatalf("the link itself: %v", err)
		}
		if id == otherID && op == otherOp {
			return
		}
		values.Set("op", otherOp)
		if keys.Check(t.Context(), otherID, otherOp, values) == nil && (id != otherID || url.QueryEscape(op) != otherOp) {
			t.Fatalf("a link for %q, %q opens %q, %q", id, op, otherID, otherOp)
		}
	})
}
