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

// asked is a request for an operation on an instance in a state.
type asked struct {
	// state of instance i; empty: there is none.
	state          string
	method, target string
	body           string
	// recorded is the status code of extension 3.0.0, 0 where nothing was
	// recorded; because says why ours differs.
	recorded int
	because  string
}

var operations = []asked{
	{"Running", "POST", "instances/i/terminate?reason=enough", "", 202, ""},
	{"Pending", "POST", "instances/i/terminate", "", 202, ""},
	{"Suspended", "POST", "instances/i/terminate?REASON=x", "", 202, ""},
	{"Completed", "POST", "instances/i/terminate?reason=late", "", 410, ""},
	{"Failed", "POST", "instances/i/terminate", "", 410, ""},
	{"Terminated", "POST", "instances/i/terminate", "", 410, ""},
	{"", "POST", "instances/i/terminate", "", 404, ""},
	{"Running", "POST", "instances/i/terminate?recursive=perhaps", "", 0, ""},

	{"Running", "POST", "instances/i/suspend?reason=pause", "", 202, ""},
	{"Suspended", "POST", "instances/i/suspend?reason=again", "", 500, "409 with a message"},
	{"Completed", "POST", "instances/i/suspend", "", 410, ""},
	{"", "POST", "instances/i/suspend", "", 404, ""},
	{"Suspended", "POST", "instances/i/resume?reason=go%20on", "", 202, ""},
	{"Parked", "POST", "instances/i/resume", "", 0, ""},
	{"Running", "POST", "instances/i/resume", "", 500, "409 with a message"},
	{"Completed", "POST", "instances/i/resume", "", 410, ""},
	{"", "POST", "instances/i/resume", "", 404, ""},

	{"Running", "POST", "instances/i/raiseEvent/Go", `{"a":1}`, 202, ""},
	{"Suspended", "POST", "instances/i/RAISEEVENT/Go", `"x"`, 202, ""},
	{"Pending", "POST", "instances/i/raiseEvent/Go", `null`, 202, ""},
	{"Running", "POST", "instances/i/raiseEvent/Go", ``, 400, ""},
	{"Running", "POST", "instances/i/raiseEvent/Go", `{bad`, 0, ""},
	{"Running", "POST", "instances/i/raiseEvent/" + strings.Repeat("x", 1025), `1`, 0, ""},
	{"Completed", "POST", "instances/i/raiseEvent/Go", `1`, 0, ""},
	{"", "POST", "instances/i/raiseEvent/Go", `1`, 404, ""},

	{"Failed", "POST", "instances/i/rewind?reason=fixed", "", 202, ""},
	{"Completed", "POST", "instances/i/rewind", "", 410, "412 as the extension of 2026"},
	{"Running", "POST", "instances/i/rewind", "", 500, "412 as the extension of 2026"},
	{"Terminated", "POST", "instances/i/rewind", "", 0, ""},
	{"", "POST", "instances/i/rewind", "", 404, ""},

	{"Completed", "POST", "instances/i/restart?restartWithNewInstanceId=false", "", 202, ""},
	{"Failed", "POST", "instances/i/restart?restartWithNewInstanceId=FALSE", "", 0, ""},
	{"Running", "POST", "instances/i/restart?restartWithNewInstanceId=false", "", 500, "409 with a message"},
	{"Completed", "POST", "instances/i/restart?restartWithNewInstanceId=no", "", 0, ""},
	{"Completed", "POST", "instances/i/restart?timeout=1&pollingInterval=2", "", 0, ""},
	{"", "POST", "instances/i/restart", "", 400, "404: there is no such instance"},

	{"Completed", "DELETE", "instances/i", "", 200, ""},
	{"Failed", "DELETE", "instances/i/", "", 0, ""},
	{"Running", "DELETE", "instances/i", "", 200, "412 as the extension of 2026"},
	{"Suspended", "DELETE", "instances/i", "", 0, ""},
	{"", "DELETE", "instances/i", "", 404, ""},
	{"Completed", "DELETE", "instances?createdTimeFrom=2026-01-01", "", 200, ""},
	{"Completed", "DELETE", "instances?createdTimeFrom=0001-01-01", "", 200, ""},
	{"Completed", "DELETE", "instances?createdTimeFrom=0001-01-01T00:00:00Z&createdTimeTo=2001-01-01", "", 404, ""},
	{"Completed", "DELETE", "instances/?createdTimeFrom=2026-01-01T00:00:00%2B01:00&createdTimeTo=2026-12-31&runtimeStatus=Failed,Completed", "", 200, ""},
	{"Completed", "DELETE", "instances?createdTimeFrom=2001-01-01T00:00:00Z&createdTimeTo=2001-01-02T00:00:00Z", "", 404, ""},
	{"Running", "DELETE", "instances?createdTimeFrom=2026-01-01", "", 0, ""},
	{"Running", "DELETE", "instances?createdTimeFrom=2026-01-01&runtimeStatus=Running", "", 200, "400: only finished instances are purged"},
	{"Completed", "DELETE", "instances", "", 400, ""},
	{"Completed", "DELETE", "instances?createdTimeFrom=yesterday", "", 400, ""},
	{"Completed", "DELETE", "instances?createdTimeFrom=2001-01-01&createdTimeTo=2000-01-01", "", 0, ""},
	{"Completed", "DELETE", "instances?createdTimeFrom=2001-01-01T00:00:00Z&runtimeStatus=Nonsense", "", 404, "400 that names the parameter"},

	{"Completed", "GET", "instances", "", 200, ""},
	{"Completed", "GET", "instances/?instanceIdPrefix=i&runtimeStatus=completed&top=1&showInput=false", "", 200, ""},
	{"Completed", "GET", "instances?runtimeStatus=Running", "", 200, ""},
	{"Parked", "GET", "instances?runtimeStatus=Suspended", "", 0, ""},
	{"Parked", "GET", "instances?runtimeStatus=Running", "", 0, ""},
	{"", "GET", "instances", "", 200, ""},
	{"Completed", "GET", "instances?runtimeStatus=Nonsense", "", 200, "400 that names the parameter"},
	{"Completed", "GET", "instances?createdTimeFrom=nonsense", "", 200, "400 that names the parameter"},
	{"Completed", "GET", "instances?top=-1", "", 500, "400 that names the parameter"},
	{"Completed", "GET", "instances?top=abc", "", 200, "400 that names the parameter"},
	{"Completed", "GET", "instances?top=99999999999999999999", "", 0, ""},

	{"Failed", "GET", "instances/i?showHistory=true&showHistoryOutput=true", "", 200, ""},
	{"Running", "GET", "instances/i?SHOWHISTORY=True&showInput=false", "", 202, ""},
	{"Running", "GET", "instances/i?showHistory=1", "", 202, ""},
	{"Pending", "GET", "instances/i?showHistory=true", "", 0, ""},
	{"Running", "GET", "instances/i?taskHub=hub&connection=Storage", "", 0, ""},
	{"Running", "GET", "instances/i?taskHub=OtherHub", "", 404, ""},
	{"Running", "GET", "instances/i?connection=NoSuchConn", "", 500, "400: it is the caller's mistake"},

	{"", "POST", "orchestrators/Orchestrator/i?timeout=0.1&pollingInterval=2", "", 400, ""},
	{"", "POST", "orchestrators/Orchestrator/i?timeout=soon", "", 0, ""},
	{"", "POST", "orchestrators/Orchestrator/i?timeout=-1&pollingInterval=0", "", 0, ""},
	{"", "POST", "makeprimary", "", 0, ""},
	{"", "GET", "makeprimary", "", 404, ""},
	{"", "GET", "entities/Counter/k", "", 0, ""},
	{"Running", "OPTIONS", "instances/i", "", 404, ""},
}

// Every answer of every operation, whole, and as it was recorded unless it is
// better on purpose.
func TestOperations(t *testing.T) {
	var all strings.Builder
	for _, o := range operations {
		s := newSite(t)
		s.inState(t, o.state)
		w := s.do(o.method, operators+"/"+o.target, o.body, "Content-Type", "application/json")
		fmt.Fprintf(&all, "=== %s: %s %.160s %s\n%s\n", o.state, o.method, o.target, o.body, render(w))
		if differs := o.recorded != 0 && w.Code != o.recorded; differs != (o.because != "") {
			t.Errorf("%s: %s %.100s: %d, recorded %d (%s)", o.state, o.method, o.target, w.Code, o.recorded, o.because)
		}
		if w.Code >= 500 || s.logs.Len() > 0 {
			t.Errorf("%s: %s %.100s: %d %s; logged: %s", o.state, o.method, o.target, w.Code, w.Body, s.logs)
		}
	}
	golden(t, "operations", all.String())
}

// inState puts instance i.
func (s *site) inState(t *testing.T, state string) {
	t.Helper()
	switch state {
	case "":
	case "Parked":
		s.put(t, "i", history.Running, func(row *taskhub.Instance) { row.Parked = "expected this, got that" })
	default:
		status, err := history.ParseStatus(state)
		if err != nil {
			t.Fatal(err)
		}
		s.lived(t, "i", status)
	}
}

// A restart under a new id answers with the links of the new instance.
func TestRestartWithANewID(t *testing.T) {
	s := newSite(t)
	s.lived(t, "i", history.Completed)
	for _, target := range []string{operators + "/instances/i/restart", operators + "/instances/i/restart?restartWithNewInstanceId=true"} {
		w := s.do(http.MethodPost, target, "")
		if w.Code != http.StatusAccepted || strings.Contains(w.Body.String(), `{"id":"i"`) || strings.Count(w.Body.String(), "Uri") != len(startMembers) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if location := w.Header().Get("Location"); !strings.Contains(w.Body.String(), `"statusQueryGetUri":"`+location+`"`) {
			t.Errorf("Location %s", location)
		}
	}
}

// A list is read page by page, and each page says where the next one begins.
func TestListPages(t *testing.T) {
	s := newSite(t)
	for i := range 5 {
		s.put(t, fmt.Sprintf("i%d", i), history.Completed)
	}
	var seen []string
	var headers []string
	for {
		w := s.do(http.MethodGet, operators+"/instances?top=2", "", headers...)
		if w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		for i := range 5 {
			if id := fmt.Sprintf("i%d", i); strings.Contains(w.Body.String(), `"instanceId":"`+id+`"`) {
				seen = append(seen, id)
			}
		}
		token := w.Header().Get("x-ms-continuation-token")
		if token == "" {
			break
		}
		headers = []string{"x-ms-continuation-token", token}
	}
	if fmt.Sprint(seen) != "[i0 i1 i2 i3 i4]" {
		t.Errorf("%v", seen)
	}
	if w := s.do(http.MethodGet, operators+"/instances?top=2", "", "x-ms-continuation-token", "garbage"); w.Code != http.StatusBadRequest || !strings.HasPrefix(w.Body.String(), `{"Message":`) {
		t.Errorf("a wrong token: %d %s", w.Code, w.Body)
	}
}

// Events take JSON only, whatever its parameters say.
func TestContentTypesOfEvents(t *testing.T) {
	for kind, want := range map[string]int{
		"application/json": 202, "application/json; charset=utf-8": 202, "APPLICATION/JSON": 202,
		"": 400, "text/plain": 400, "application/jsonp": 400, "text/json": 400, "application/json, text/plain": 400,
	} {
		s := newSite(t)
		s.put(t, "i", history.Running)
		w := s.do(http.MethodPost, operators+"/instances/i/raiseEvent/Go", `1`, "Content-Type", kind)
		if w.Code != want || (s.hub.Pending(control) == 1) != (want == 202) {
			t.Errorf("%q: %d %s, %d messages", kind, w.Code, w.Body, s.hub.Pending(control))
		}
	}
}

// Dates in queries have the usual forms; one without a zone is UTC.
func TestDatesOfQueries(t *testing.T) {
	want := time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	for _, text := range []string{"2026-01-31", "2026-01-31T00:00", "2026-01-31T00:00:00", "2026-01-31T00:00:00Z", "2026-01-31T01:00:00+01:00", "2026-01-31T01:00:00%2B01:00", "2026-01-31T00:00:00.0000000Z", "2026-01-31 00:00:00"} {
		q := query{{"d", strings.ReplaceAll(strings.ReplaceAll(text, "+", " "), "%2B", "+")}}
		if got, err := q.moment("D"); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"yesterday", "2026", "2026-13-01", "31.01.2026", "2026-01-31T25:00:00Z"} {
		if got, err := (query{{"d", text}}).moment("d"); err == nil || !strings.Contains(err.Error(), `"d"`) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}
