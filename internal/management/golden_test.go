package management

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the golden files")

// Every answer of the API, whole: status, headers and body.
func TestAnswers(t *testing.T) {
	input := func(text string) func(*taskhub.Instance) {
		return func(row *taskhub.Instance) { row.Input = history.Payload(text) }
	}
	output := func(text string) func(*taskhub.Instance) {
		return func(row *taskhub.Instance) { row.Output = history.Payload(text) }
	}
	parked := func(row *taskhub.Instance) { row.Parked = "expected activity \"A\", got \"B\"" }
	put := func(status history.Status, change ...func(*taskhub.Instance)) func(*testing.T, *site) {
		return func(t *testing.T, s *site) { s.put(t, "i", status, change...) }
	}
	nothing := func(*testing.T, *site) {}
	const status, start = operators + "/instances/i", operators + "/orchestrators/Orchestrator"
	cases := []struct {
		name                 string
		prepare              func(*testing.T, *site)
		method, target, body string
		headers              []string
	}{
		{"status-pending", put(history.Pending, input(`{"a":[1.0,"x"]}`)), "GET", status, "", nil},
		{"status-running", put(history.Running), "GET", status + "?showInput=true&x=%20", "", nil},
		{"status-suspended", put(history.Suspended, output("by hand")), "GET", status, "", nil},
		{"status-parked", put(history.Running, parked), "GET", status, "", nil},
		{"status-completed", put(history.Completed, input(`"<in>"`), output(`["Hello Tokyo!"]`)), "GET", status, "", nil},
		{"status-without-input", put(history.Completed, input(`"<in>"`)), "GET", status + "?ShowInput=FALSE", "", nil},
		{"status-failed", put(history.Failed, output(`Orchestrator function 'O' failed: "quoted"`)), "GET", status, "", nil},
		{"status-failed-500", put(history.Failed, output("no")), "GET", status + "?returnInternalServerErrorOnFailure=true", "", nil},
		{"status-terminated", put(history.Terminated, output("reason")), "GET", status, "", nil},
		{"status-not-found", nothing, "GET", status, "", nil},
		{"status-wait-finished", put(history.Completed), "GET", status, "", []string{"Prefer", "wait=5"}},
		{"status-storage-fails", func(_ *testing.T, s *site) { s.store.err = fmt.Errorf("account secret-name does not answer") }, "GET", status, "", nil},
		{"start", nothing, "POST", start + "/i", `{"a": 1}`, nil},
		{"start-https", func(_ *testing.T, s *site) { s.Links.Trusted = true }, "POST", start + "/i", ``, []string{"X-Forwarded-Proto", "https, http", "X-Forwarded-Host", "app.example.com"}},
		{"start-odd-id", nothing, "POST", start + "/a%20b+c'%C3%A9&=", ``, nil},
		{"start-expiring-links", func(_ *testing.T, s *site) { s.Links.Lifetime = time.Hour }, "POST", start + "/i", ``, nil},
		{"start-fixed-base", func(_ *testing.T, s *site) { s.Links.Base = "https://public.example.com/" }, "POST", start + "/i", ``, nil},
		{"start-unknown", nothing, "POST", operators + "/orchestrators/Nobody", ``, nil},
		{"start-bad-json", nothing, "POST", start, `{bad`, nil},
		{"start-bad-id", nothing, "POST", start + "/@a@b", ``, nil},
		{"start-too-large", nothing, "POST", start, `"` + strings.Repeat("x", taskhub.MaxPayload) + `"`, nil},
		{"start-running", put(history.Running), "POST", start + "/i", ``, nil},
		{"start-storage-fails", func(_ *testing.T, s *site) { s.store.err = fmt.Errorf("account secret-name does not answer") }, "POST", start + "/i", ``, nil},
		{"link-unsigned", put(history.Running), "GET", links + "/instances/i", "", nil},
		{"link-wrong", put(history.Running), "GET", links + "/instances/i?op=status&sig=new00000.AAAA", "", nil},
		{"link-start", nothing, "POST", links + "/orchestrators/Orchestrator", "", nil},
		{"unknown-path", nothing, "GET", operators + "/nothing", "", nil},
	}
	var seen []string
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			c.prepare(t, s)
			golden(t, "answers/"+c.name, render(s.do(c.method, c.target, c.body, c.headers...)))
		})
		seen = append(seen, c.name+".txt")
	}
	files, err := filepath.Glob("testdata/answers/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !slices.Contains(seen, filepath.Base(file)) {
			t.Errorf("%s belongs to no case", file)
		}
	}
}

// render is an answer as text.
func render(w *httptest.ResponseRecorder) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s\n", w.Code, http.StatusText(w.Code))
	_ = w.Header().Write(&b)
	return strings.ReplaceAll(b.String(), "\r\n", "\n") + "\n" + w.Body.String() + "\n"
}

// golden compares with a file, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *rewrite {
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; run with -rewrite to make it", err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
	}
}

// The status object is what the official extension answers for the same row.
// The recordings are of extension 3.0.0.
func TestRecordedAnswers(t *testing.T) {
	raw, err := os.ReadFile("testdata/recorded.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded []struct {
		Scenario, Query, Body string
		Status                int
		Headers               map[string]string
		Row                   struct {
			Name, RuntimeStatus, CustomStatus string
			Input, Output                     *string
		}
	}
	if err := json.Unmarshal(raw, &recorded); err != nil {
		t.Fatal(err)
	}
	if len(recorded) == 0 {
		t.Fatal("there are no recordings")
	}
	for _, c := range recorded {
		t.Run(c.Scenario+" "+c.Query, func(t *testing.T) {
			s := newSite(t)
			status, err := history.ParseStatus(c.Row.RuntimeStatus)
			if err != nil {
				t.Fatal(err)
			}
			s.put(t, "{id1}", status, func(row *taskhub.Instance) {
				row.Name = c.Row.Name
				row.Input, row.Output = payload(c.Row.Input), payload(c.Row.Output)
				if c.Row.CustomStatus != "null" {
					row.CustomStatus = history.Payload(c.Row.CustomStatus)
				}
			})
			w := s.do(http.MethodGet, operators+"/instances/%7Bid1%7D?"+c.Query, "")
			if w.Code != c.Status {
				t.Errorf("status %d, recorded %d", w.Code, c.Status)
			}
			for name, want := range c.Headers {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s: %q, recorded %q", name, got, want)
				}
			}
			got := strings.NewReplacer(`"2026-03-04T05:06:07Z"`, `"{timeZ}"`, `"2026-03-04T05:06:08Z"`, `"{timeZ}"`).Replace(w.Body.String())
			if !slices.Equal(tokens(t, got), tokens(t, c.Body)) {
				t.Errorf("body\n%s, recorded\n%s", got, c.Body)
			}
		})
	}
}

func payload(text *string) history.Payload {
	if text == nil {
		return nil
	}
	return history.Payload(*text)
}

// tokens are what a JSON text says, in order, with numbers as they are written.
func tokens(t *testing.T, text string) (out []json.Token) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if err != nil {
			break
		}
		out = append(out, token)
	}
	if !json.Valid([]byte(text)) {
		t.Fatalf("no JSON: %s", text)
	}
	return out
}
