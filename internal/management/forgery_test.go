package management

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/memory"
)

// opened is an operation that links open, with an instance it fits.
type opened struct {
	route
	status history.Status
	want   int
}

// target is its path for an instance.
func (o opened) target(id string) string {
	return links + "/" + strings.NewReplacer("{id}", id, "{name}", "Go").Replace(o.path)
}

// linked are the operations that links open: all routes with an op.
func linked(t *testing.T) (out []opened) {
	t.Helper()
	fits := map[string]opened{
		opStatus:    {status: history.Running, want: http.StatusAccepted},
		opRaise:     {status: history.Running, want: http.StatusAccepted},
		opTerminate: {status: history.Running, want: http.StatusAccepted},
		opSuspend:   {status: history.Running, want: http.StatusAccepted},
		opResume:    {status: history.Suspended, want: http.StatusAccepted},
		opRewind:    {status: history.Failed, want: http.StatusAccepted},
		opRestart:   {status: history.Completed, want: http.StatusAccepted},
		opPurge:     {status: history.Completed, want: http.StatusOK},
	}
	for _, r := range routes {
		if r.op == "" || r.op == opEntity { // see TestLinkOfAnEntity
			continue
		}
		o, ok := fits[r.op]
		if !ok {
			t.Fatalf("operation %s has no line in this test", r.op)
		}
		o.route = r
		out = append(out, o)
		delete(fits, r.op)
	}
	if len(fits) > 0 || len(out) != len(members) {
		t.Fatalf("%d routes for %d members; without a route: %v", len(out), len(members), fits)
	}
	return out
}

// lived puts an instance with a history: one activity that failed.
func (s *site) lived(t testing.TB, id string, status history.Status) {
	t.Helper()
	s.put(t, id, status)
	events := []*history.Event{
		{Type: history.OrchestratorStarted, ID: history.NoID, Timestamp: begin},
		{Type: history.ExecutionStarted, ID: history.NoID, Timestamp: begin, Name: "Orchestrator", Instance: history.InstanceRef{InstanceID: id, ExecutionID: "x"}},
		{Type: history.TaskScheduled, ID: 0, Timestamp: begin, Name: "A"},
		{Type: history.OrchestratorCompleted, ID: history.NoID, Timestamp: begin},
	}
	if status == history.Failed {
		events = append(events,
			&history.Event{Type: history.OrchestratorStarted, ID: history.NoID, Timestamp: begin},
			&history.Event{Type: history.TaskFailed, ID: history.NoID, Timestamp: begin, Reason: history.Payload("no")},
			&history.Event{Type: history.ExecutionCompleted, ID: 1, Timestamp: begin, Status: history.Failed},
			&history.Event{Type: history.OrchestratorCompleted, ID: history.NoID, Timestamp: begin},
		)
	}
	if _, err := s.hub.Commit(t.Context(), &taskhub.Commit{InstanceID: id, ExecutionID: "x", Nonce: id, Time: begin, Events: events}); err != nil {
		t.Fatal(err)
	}
}

// everything is what the hub holds, as text: rows, histories, messages.
func (s *site) everything(t testing.TB) string {
	t.Helper()
	page, err := s.hub.List(t.Context(), taskhub.Query{Entities: true, Max: taskhub.MaxPage})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, row := range page.Instances {
		h, err := s.hub.Load(t.Context(), row.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %v %s; history %s, %d events\n", row.ID, row.Status, row.ETag, h.Fence.ETag, len(h.Events))
	}
	fmt.Fprintf(&b, "%d messages", s.hub.Pending(control))
	return b.String()
}

// forgeries are queries that do not open the operation on instance i, with the
// code they are answered with.
func (s *site) forgeries(t *testing.T, op string) map[string]struct {
	query string
	code  int
} {
	t.Helper()
	sign := func(k *Keys, id, op string, expires time.Time) string {
		query, err := k.Sign(t.Context(), id, op, expires)
		if err != nil {
			t.Fatal(err)
		}
		return query
	}
	keys := s.Links.Keys
	good := sign(keys, "i", op, time.Time{})
	soon := sign(keys, "i", op, begin.Add(time.Hour))
	sig := good[strings.Index(good, "sig="):]
	type forgery = struct {
		query string
		code  int
	}
	out := map[string]forgery{
		"nothing":                       {"", 401},
		"no signature":                  {"op=" + op, 401},
		"an empty signature":            {"op=" + op + "&sig=", 401},
		"a function key":                {"code=secret&op=" + op, 401},
		"two spellings of a signature":  {good + "&SIG=new00000.AAAA", 403},
		"two spellings of an operation": {good + "&Op=" + op, 403},
		"a wrong signature":             {"op=" + op + "&sig=new00000." + strings.Repeat("A", 43), 403},
		"garbage":                       {"op=" + op + "&sig=%00%ff", 403},
		"a cut signature":               {good[:len(good)-1], 403},
		"an expired signature":          {sign(keys, "i", op, begin), 403},
		"another instance's":            {sign(keys, "j", op, time.Time{}), 403},
		"another spelling's":            {sign(keys, "I", op, time.Time{}), 403},
		"nobody's":                      {sign(keys, "", op, time.Time{}), 403},
		"no operation":                  {sig, 403},
		"an operation in another case":  {"op=" + strings.ToUpper(op) + "&" + sig, 403},
		"the name of another key":       {strings.Replace(good, "new00000", "old00000", 1), 403},
		"another hub's":                 {sign(NewKeys(s.hub, "Hub2", keys.now), "i", op, time.Time{}), 403},
		"other keys'":                   {sign(NewKeys(memory.New(memory.Options{}), "Hub", keys.now), "i", op, time.Time{}), 403},
		"an end taken away":             {"op=" + op + "&" + soon[strings.Index(soon, "sig="):], 403},
		"an end added":                  {good + "&exp=99999999999", 403},
		"a later end":                   {strings.Replace(soon, "exp=", "exp=9", 1), 403},
		"an end that is no number":      {"exp=never&" + good, 403},
		"two signatures":                {good + "&sig=new00000.AAAA", 403},
		"two signatures, good last":     {"sig=new00000.AAAA&" + good, 403},
		"two operations":                {good + "&op=" + op, 403},
		"two ends":                      {soon + "&exp=99999999999", 403},
	}
	for _, m := range members {
		if m.op != op {
			out["one for "+m.op] = forgery{sign(keys, "i", m.op, time.Time{}), 403}
			out["one for "+m.op+", renamed"] = forgery{strings.Replace(sign(keys, "i", m.op, time.Time{}), m.op, op, 1), 403}
		}
	}
	return out
}

// No operation is done with a signature that is not for it, and none is found
// out about.
func TestEveryForgeryOfEveryOperation(t *testing.T) {
	for _, o := range linked(t) {
		t.Run(o.op, func(t *testing.T) {
			s := newSite(t)
			s.lived(t, "i", o.status)
			s.lived(t, "j", o.status)
			before := s.everything(t)
			for name, forged := range s.forgeries(t, o.op) {
				for _, id := range []string{"i", "i/"} {
					path := o.target(strings.TrimSuffix(id, "/"))
					if id != "i" {
						path += "/"
					}
					w := s.do(o.method, path+"?"+forged.query, `{}`, "Content-Type", "application/json")
					if w.Code != forged.code || !strings.HasPrefix(w.Body.String(), `{"Message":"the link`) {
						t.Errorf("%s: %d %s, want %d", name, w.Code, w.Body, forged.code)
					}
				}
			}
			if after := s.everything(t); after != before {
				t.Fatalf("the hub was\n%s\nand is\n%s", before, after)
			}
			if s.logs.Len() > 0 {
				t.Errorf("logged: %s", s.logs)
			}
			// The same request with its own signature shows what was kept out.
			w := s.do(o.method, o.target("i")+"?"+s.sign(t, "i", o.op), `{}`, "Content-Type", "application/json")
			if w.Code != o.want {
				t.Errorf("its own link: %d %s, want %d", w.Code, w.Body, o.want)
			}
			if changed := s.everything(t) != before; changed != (o.op != opStatus) {
				t.Errorf("its own link: changed %v", changed)
			}
		})
	}
}

// A signature for one path opens no other, however the other is written.
func TestPathsThatPretend(t *testing.T) {
	for _, o := range linked(t) {
		t.Run(o.op, func(t *testing.T) {
			s := newSite(t)
			s.lived(t, "i", o.status)
			s.lived(t, "j", o.status)
			before := s.everything(t)
			query := "?" + s.sign(t, "i", o.op)
			for _, id := range []string{
				"i/../j", "i%2F..%2Fj", "i%2f%2e%2e%2fj", "i/%2e%2e/j", "./j", "../instances/j", "j%00", "j%00i", "%6A", "i%00", "i%20", "%20i",
				"I", "%49", "i;j", "i%3Bj", "i%3Fj", "i%23j", "i%5C..%5Cj", "/i", "i//", "%FFi", "i%252F..%252Fj", "j?x=/i", "i%0D%0AX:1", strings.Repeat("i", 5000),
			} {
				w := s.do(o.method, o.target(id)+query, `{}`, "Content-Type", "application/json")
				if w.Code != http.StatusForbidden && w.Code != http.StatusUnauthorized && w.Code != http.StatusNotFound {
					t.Errorf("%.60s: %d %s", id, w.Code, w.Body)
				}
			}
			for _, method := range []string{http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodPatch, http.MethodTrace, "BREW", strings.ToLower(o.method)} {
				if w := s.do(method, o.target("i")+query, `{}`); w.Code != http.StatusNotFound || w.Body.Len() > 0 {
					t.Errorf("%s: %d %s", method, w.Code, w.Body)
				}
			}
			if after := s.everything(t); after != before {
				t.Errorf("the hub was\n%s\nand is\n%s", before, after)
			}
		})
	}
}

// What only operators may do is not there for links, whatever they are signed
// for.
func TestOperatorsOnly(t *testing.T) {
	s := newSite(t)
	s.lived(t, "i", history.Completed)
	before := s.everything(t)
	for _, r := range routes {
		if r.op != "" {
			continue
		}
		path := strings.NewReplacer("{name}", "Orchestrator", "{id}", "i").Replace(r.path)
		for _, op := range []string{"", "start", "list", opStatus, opPurge, opRestart} {
			for _, id := range []string{"", "i", "Orchestrator"} {
				w := s.do(r.method, links+"/"+path+"?createdTimeFrom=2000-01-01&"+s.sign(t, id, op), "")
				if w.Code != http.StatusNotFound || w.Body.Len() > 0 {
					t.Errorf("%s %s signed for %q of %q: %d %s", r.method, path, op, id, w.Code, w.Body)
				}
			}
		}
	}
	for _, op := range []string{opTerminate, opPurge} {
		for _, o := range linked(t) {
			if o.op != op {
				continue
			}
			w := s.do(o.method, o.target("i")+"?recursive=true&"+s.sign(t, "i", op), "")
			if w.Code != http.StatusForbidden {
				t.Errorf("%s of the children, too: %d %s", op, w.Code, w.Body)
			}
		}
	}
	if after := s.everything(t); after != before {
		t.Errorf("the hub was\n%s\nand is\n%s", before, after)
	}
}

// A link to restart an instance gives no links to do more with it.
func TestRestartLinkGivesNothingMore(t *testing.T) {
	for query, want := range map[string]string{
		"restartWithNewInstanceId=false&": `^{"id":"i"}$`, "": `^{"id":"[0-9a-f]{32}"}$`, "timeout=10&pollingInterval=1&": `^{"id":"[0-9a-f]{32}"}$`, "timeout=x&": `^{"id":"[0-9a-f]{32}"}$`,
	} {
		s := newSite(t)
		s.lived(t, "i", history.Completed)
		w := s.do(http.MethodPost, links+"/instances/i/restart?"+query+s.sign(t, "i", opRestart), "")
		if w.Code != http.StatusAccepted || !regexp.MustCompile(want).MatchString(w.Body.String()) || w.Header().Get("Location") != "" {
			t.Errorf("%s: %d %v %s", query, w.Code, w.Header(), w.Body)
		}
	}
}

// Storage that fails is nobody's business: no text of it, and no signature in
// the log.
func TestFailuresKeepSecrets(t *testing.T) {
	for _, o := range linked(t) {
		s := newSite(t)
		s.lived(t, "i", o.status)
		query := s.sign(t, "i", o.op)
		s.store.err = fmt.Errorf("account secret-name does not answer")
		var w *httptest.ResponseRecorder
		if w = s.do(o.method, o.target("i")+"?"+query, `{}`, "Content-Type", "application/json"); w.Code != http.StatusInternalServerError {
			t.Errorf("%s: %d %s", o.op, w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), "secret") || !strings.Contains(s.logs.String(), "secret-name") || strings.Contains(s.logs.String(), query[strings.Index(query, "sig="):]) {
			t.Errorf("%s: %s; logged: %s", o.op, w.Body, s.logs)
		}
	}
}
