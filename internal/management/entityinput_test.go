package management

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

// What no entity can be named by, or asked for, is refused with a reason and changes
// nothing, whichever operation of the API it comes with.
func TestBadInputOfEntities(t *testing.T) {
	long := strings.Repeat("x", 257)
	cases := []struct {
		method, target, body string
		want                 int
		text                 string
	}{
		{"POST", "Counter/k", `1`, 400, `\"op\"`},
		{"POST", "Counter/k?op=", `1`, 400, `\"op\"`},
		{"POST", "Counter/k?op=" + strings.Repeat("x", 2000), `1`, 400, "operation"},
		{"POST", "Counter/k?op=a%0Ab", `1`, 400, "operation"},
		{"POST", "Counter/k?op=%ff", `1`, 400, "operation"},
		{"POST", "Counter/k?op=add", `{`, 400, "Invalid JSON content"},
		{"POST", "Counter/k?op=add", "\"\xff\"", 400, "UTF-8"},
		{"POST", "Counter/k?op=add", strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1), 400, "deeper"},
		{"POST", "Counter/k?op=add", `"` + strings.Repeat("x", taskhub.MaxPayload) + `"`, 413, "10485760"},
		{"POST", "Counter/%FF?op=add", `1`, 400, "UTF-8"},
		{"DELETE", "Counter/%FF", "", 400, "UTF-8"},
		{"GET", "?top=0", "", 400, `\"top\"`},
		{"GET", "?top=x", "", 400, `\"top\"`},
		{"GET", "?lastOperationTimeFrom=soon", "", 400, `\"lastOperationTimeFrom\"`},
		{"GET", "?lastOperationTimeFrom=2026-01-02&lastOperationTimeTo=2026-01-01", "", 400, "lastOperationTime"},
	}
	for _, name := range []struct{ path, text string }{
		{`Counter/a%5Cb`, "backslash"}, {`Counter/a%23b`, "#"}, {`Counter/a%3Fb`, "?"}, {`Counter/a%0Ab`, "control"},
		{"Counter/" + long, "256"}, {`Cou@nter/k`, "@"}, {`Cou%0Anter/k`, "control"}, {long + "/k", "256"}, {`%FF/k`, "UTF-8"},
	} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			cases = append(cases, struct {
				method, target, body string
				want                 int
				text                 string
			}{method, name.path + "?op=add", `1`, 400, name.text})
		}
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%s %.40s", c.method, c.target), func(t *testing.T) {
			s := newSite(t)
			w := s.do(c.method, strings.TrimSuffix(operators+"/entities/"+c.target, "/"), c.body)
			if w.Code != c.want || !strings.Contains(w.Body.String(), c.text) || !strings.HasPrefix(w.Body.String(), `{"Message":"`) {
				t.Errorf("%d %s, want %d with %q", w.Code, w.Body, c.want, c.text)
			}
			if s.hub.Pending(control) != 0 || s.logs.Len() != 0 {
				t.Errorf("%d messages; logged: %s", s.hub.Pending(control), s.logs)
			}
			in, err := s.hub.Look(t.Context(), "@counter@k", taskhub.LookOptions{Now: time.Now()})
			if err != nil || len(in.Rows) > 0 {
				t.Errorf("%d rows in the inbox, %v", len(in.Rows), err)
			}
		})
	}
}

// Keys are taken as they are, whatever they are like; $ stands for the empty one. Names
// are compared without case.
func TestKeysOfEntities(t *testing.T) {
	for path, want := range map[string]string{
		"Counter/k": "@counter@k", "COUNTER/K": "@counter@K", "Counter/$": "@counter@", "Counter/a%20b": "@counter@a b", "Counter/a@b": "@counter@a@b",
		"C%C3%84/k": "@cä@k", "Counter/%C3%A4": "@counter@ä", "Counter/a%25b": "@counter@a%b", "Counter/a'b": "@counter@a'b", "Counter/%F0%9F%98%80": "@counter@😀",
	} {
		s := newSite(t)
		for _, method := range []string{http.MethodPost, http.MethodDelete} {
			if w := s.do(method, operators+"/entities/"+path+"?op=add", `1`); w.Code != http.StatusAccepted || w.Body.Len() > 0 {
				t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
			}
		}
		in, err := s.hub.Look(t.Context(), want, taskhub.LookOptions{Now: time.Now().Add(time.Hour)})
		if err != nil || len(in.Rows) != 2 {
			t.Errorf("%s: %d rows in the inbox of %s, %v", path, len(in.Rows), want, err)
		}
	}
}
