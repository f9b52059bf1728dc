package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// said is an app that notes what it is asked.
func said(t *testing.T) (app *httptest.Server, asked *[]string) {
	asked = new([]string)
	app = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*asked = append(*asked, strings.TrimSpace(r.Method+" "+strings.TrimPrefix(r.URL.RequestURI(), dashboardAPI)+" "+string(body)))
		switch {
		case r.Header.Get("X-Functions-Key") != "k":
			w.WriteHeader(http.StatusUnauthorized)
		case strings.Contains(r.URL.Path, "gone"):
			w.WriteHeader(http.StatusGone)
		case strings.Contains(r.URL.Path, "/orchestrators/"), strings.HasSuffix(r.URL.Path, "/restart"):
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, `{"id":"new one"}`)
		case strings.Contains(r.URL.Path, "/batch/") && r.URL.Query().Get("token") == "" && r.URL.Query().Get("dryRun") == "false":
			_, _ = io.WriteString(w, `{"matched":3,"done":2,"failed":1,"failures":[{"instanceId":"x","message":"no"}],"more":true,"token":"t"}`)
		case strings.Contains(r.URL.Path, "/batch/"):
			_, _ = io.WriteString(w, `{"matched":5,"done":5,"failures":[],"more":false}`)
		case r.Method == http.MethodGet:
			_, _ = io.WriteString(w, `{"runtimeStatus":"Completed","output":{"n":9007199254740993}}`)
		}
	}))
	t.Cleanup(app.Close)
	return app, asked
}

// The commands are those that the dashboard shows.
func TestOperate(t *testing.T) {
	cases := []struct {
		args, asked, out string
		code             int
	}{
		{"event|order 1|Approved|--data|{\"by\":\"Ann\"}", `POST /instances/order%201/raiseEvent/Approved {"by":"Ann"}`, "", 0},
		{"suspend|a/b|--reason|for the night", "POST /instances/a%2Fb/suspend?reason=for+the+night", "", 0},
		{"--reason|x|i", "", "", 2},
		{"resume|i", "POST /instances/i/resume", "", 0},
		{"terminate|--reason|x|i|--recursive", "POST /instances/i/terminate?reason=x&recursive=true", "", 0},
		{"terminate|gone", "POST /instances/gone/terminate", "has finished", 1},
		{"rewind|i", "POST /instances/i/rewind", "", 0},
		{"restart|i|--same-id", "POST /instances/i/restart?restartWithNewInstanceId=false", "new one", 0},
		{"purge|i", "DELETE /instances/i", "", 0},
		{"purge|--status|Completed,Failed|--tag|a=b|--roots", "POST /batch/purge?dryRun=true&rootsOnly=true&runtimeStatus=Completed%2CFailed&tag=a%3Db", "5 instances match", 0},
		{"purge|--prefix|p|--yes", "POST /batch/purge?dryRun=false&instanceIdPrefix=p;POST /batch/purge?dryRun=false&instanceIdPrefix=p&token=t", "1 instances were left as they are", 1},
		{"run|O|--input|{}|--id|x y|--tag|a=b|--version|2|--at|2026-01-01T00:00:00Z|--no-wait", "POST /orchestrators/O/x%20y?scheduledStartTime=2026-01-01T00%3A00%3A00Z&tag=a%3Db&version=2 {}", "new one", 0},
		{"run|O", "POST /orchestrators/O;GET /instances/new%20one?showInput=false", `{"n":9007199254740993}`, 0},
		{"run", "", "want: durable run NAME", 2},
		{"event|i", "", "want: durable event ID NAME", 2},
		{"purge|a|b", "", "want: durable purge", 2},
		{"purge|--since|later", "", "--since", 2},
		{"purge|--recursive", "", "one instance", 2},
		{"purge|--nope", "", "nope", 2},
	}
	for _, c := range cases {
		app, asked := said(t)
		var out bytes.Buffer
		args := append(strings.Split(c.args, "|"), "--url", app.URL, "--key", "k")
		code := run(t.Context(), args, &out, &out)
		got := strings.NewReplacer("reason=x&recursive", "recursive", "recursive=true&reason=x", "recursive=true").Replace(strings.Join(*asked, ";"))
		want := strings.NewReplacer("reason=x&recursive", "recursive").Replace(c.asked)
		if code != c.code || got != want || !strings.Contains(out.String(), c.out) {
			t.Errorf("%s: code %d, asked %q, said %q; want %d, %q, %q", c.args, code, got, &out, c.code, want, c.out)
		}
	}
}

func TestParseAgo(t *testing.T) {
	for text, want := range map[string]time.Duration{"15m": 15 * time.Minute, "7d": 7 * 24 * time.Hour, "1h30m": 90 * time.Minute} {
		if got, err := parseAgo(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, bad := range []string{"", "-1h", "0d", "d", "99999999999d", "soon"} {
		if _, err := parseAgo(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

// Without a URL the API runs in the command's own process.
func TestInProcess(t *testing.T) {
	c := &caller{base: "http://localhost/", client: &http.Client{Transport: inProcess{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bad" {
			http.Error(w, `{"Message":"no such thing"}`, http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, r.Method+r.URL.Path)
	})}}}
	if body, err := c.send(context.Background(), request{method: "GET", path: "x"}); err != nil || string(body) != "GET/x" {
		t.Errorf("%s, %v", body, err)
	}
	if _, err := c.send(context.Background(), request{method: "GET", path: "bad"}); err == nil || err.Error() != "no such thing" {
		t.Errorf("%v", err)
	}
}
