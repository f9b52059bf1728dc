package management

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
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
		{"status-child", put(history.Completed, func(row *taskhub.Instance) { row.ParentInstanceID = "p/\"1\"" }), "GET", status, "", nil},
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

// The status object is what the official extension answers for the same row, in the
// recordings of release 3.19.0.
func TestRecordedAnswers(t *testing.T) {
	recorded := recordedAnswers(t, "recorded.json")
	if len(recorded) < 100 {
		t.Fatalf("there are %d recordings", len(recorded))
	}
	for _, c := range recorded {
		t.Run(c.Scenario+" "+c.ID+" "+c.Query, func(t *testing.T) {
			s := newSite(t)
			status, err := history.ParseStatus(c.Row.RuntimeStatus)
			if err != nil {
				t.Fatal(err)
			}
			s.put(t, c.id(), status, func(row *taskhub.Instance) {
				row.Name, row.ParentInstanceID = c.Row.Name, c.Row.ParentInstanceID
				row.Input, row.Output = payload(c.Row.Input), payload(c.Row.Output)
				if c.Row.CustomStatus != "null" {
					row.CustomStatus = history.Payload(c.Row.CustomStatus)
				}
			})
			w := s.do(http.MethodGet, operators+"/instances/"+url.PathEscape(c.id())+"?"+c.Query, "")
			if w.Code != c.Status {
				t.Errorf("status %d, recorded %d", w.Code, c.Status)
			}
			for name, want := range c.Headers {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s: %q, recorded %q", name, got, want)
				}
			}
			got := anyTime.ReplaceAllStringFunc(w.Body.String(), timeMark)
			if !slices.EqualFunc(tokens(t, string(c.Body)), tokens(t, got), sameToken) {
				t.Errorf("body\n%s, recorded\n%s", got, c.Body)
			}
		})
	}
}

// recordedAnswer is an answer of the official extension, and the rows that it was made
// from.
type recordedAnswer struct {
	Scenario, Query, ID string
	Status              int
	Headers             map[string]string
	Row                 struct {
		Name, RuntimeStatus, CustomStatus, ParentInstanceID string
		Input, Output                                       *string
	}
	Rows []json.RawMessage
	Body json.RawMessage
}

// id is the instance's id as the recording's bodies have it.
func (a *recordedAnswer) id() string {
	var body struct{ InstanceID string }
	_ = json.Unmarshal(a.Body, &body)
	return body.InstanceID
}

func recordedAnswers(t *testing.T, file string) (all []recordedAnswer) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", file))
	if err == nil {
		err = json.Unmarshal(raw, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
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
