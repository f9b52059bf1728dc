//go:build linux

package e2e

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/e2e/host"
)

// playedHere are the recordings that a test of this package plays, because the
// app is changed on the way.
var playedHere = map[string]bool{"nondeterminism": true}

// recorded is an exchange of a recording.
type recorded struct {
	Method   string         `json:"method"`
	Path     string         `json:"path"`
	Request  string         `json:"requestBody"`
	Status   int            `json:"status"`
	BodyJSON map[string]any `json:"bodyJson"`
}

func recording(t *testing.T, name string) []recorded {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "golden", "scenarios", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return decode[struct {
		HTTP []recorded `json:"http"`
	}](t, raw).HTTP
}

// changes is the recording of changed code, played on the host. ids are the
// instances, by their names in the recording.
type changes struct {
	t   *testing.T
	h   *host.Host
	ids map[string]string
	// begun are the starts and raises that were played.
	begun int
}

// deploy ends the app and begins one with other code.
func (c *changes) deploy(code string) {
	c.t.Helper()
	root, err := host.Root()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.h.Stop(); err != nil {
		c.t.Fatal(err)
	}
	if err := host.Build(root, c.h.Options.Main, filepath.Join(c.h.Dir, "bin", "handler"), "-ldflags", "-X main.code="+code); err != nil {
		c.t.Fatal(err)
	}
	if err := c.h.Start(); err != nil {
		c.t.Fatal(err)
	}
}

var placeholder = regexp.MustCompile(`\{id\d\}`)

// send makes a recorded request and checks the status of its answer.
func (c *changes) send(e recorded) {
	c.t.Helper()
	at, err := url.Parse(placeholder.ReplaceAllStringFunc(e.Path, func(name string) string { return c.ids[name] }))
	if err != nil {
		c.t.Fatal(err)
	}
	path := "/api" + strings.TrimPrefix(at.Path, "/runtime/webhooks")
	reply, err := c.h.Do(bounded(c.t), e.Method, path, []byte(e.Request))
	if err != nil {
		c.t.Fatal(err)
	}
	if reply.Code != e.Status {
		c.t.Errorf("%s %s: %d %s, recorded %d", e.Method, path, reply.Code, reply.Body, e.Status)
	}
	if name, ok := e.BodyJSON["id"].(string); ok {
		c.ids[name] = decode[host.Links](c.t, reply.Body).ID
	}
	c.begun++
}

// shows waits until the API shows an instance so.
func (c *changes) shows(name, status, output string) {
	c.t.Helper()
	var last *host.Reply
	eventually(c.t, name+" is "+status, func() bool {
		reply, err := c.h.Do(bounded(c.t), http.MethodGet, "/api/durabletask/instances/"+c.ids[name], nil)
		if err != nil {
			c.t.Fatal(err)
		}
		last = reply
		return decode[host.Status](c.t, reply.Body).RuntimeStatus == status
	})
	if got := string(decode[host.Status](c.t, last.Body).Output); !strings.Contains(got, output) {
		c.t.Errorf("%s is %s with %s, want %s", name, status, got, output)
	}
}

// TestChangedCode changes the code of orchestrations that run, as in the
// recording. The official engine fails three of them, completes one and loses
// one, see docs/differences.json. Here all of them wait, say what is wrong, and
// complete when the right code is back.
//
// The app is stopped a moment after the event of {id5} was raised: the host may have
// fetched its message then and not handed it over, so that it stays hidden for ten
// minutes. The app that follows finds such an instance within a minute or two, by what
// the hub shows of it. The others go on when the messages come that were put off for a
// minute when they were parked.
func TestChangedCode(t *testing.T) {
	if differences(t)["nondeterminism"] == "" {
		t.Error("docs/differences.json does not say what is different")
	}
	host.NeedFunc(t)
	c := &changes{t: t, ids: map[string]string{}, h: host.Run(t, host.Options{
		Main: "./internal/e2e/changing", Storage: azuritetest.Server(t).ConnectionString(), Hub: azuritetest.HubName(),
	})}
	var raises []recorded
	for _, e := range recording(t, "nondeterminism") {
		switch {
		case e.Method == http.MethodGet:
		case strings.Contains(e.Path, "raiseEvent"):
			raises = append(raises, e)
		default:
			c.send(e)
		}
	}
	if c.begun != 5 || len(raises) != 5 {
		t.Fatalf("the recording has %d starts and %d events, want 5 of each", c.begun, len(raises))
	}
	for name := range c.ids {
		c.shows(name, "Running", "null")
	}
	hellos(c)

	c.deploy("changed")
	for _, e := range raises[:4] {
		c.send(e)
	}
	for name, differs := range map[string]string{
		"{id1}": "action 0: the history has nothing, the code now asks for activity 'Echo'",
		"{id2}": "action 0: the history has activity 'Hello', the code now asks for activity 'Echo'",
		"{id3}": "action 0: the history has activity 'Hello', the code now asks for a timer",
		"{id4}": "action 0: the history has nothing, the code now asks for the end of the orchestration",
	} {
		c.shows(name, "Suspended", differs)
	}
	// Nothing of the wrong code is stored: the official history cannot be shown
	// any more.
	wantEvents(c, "{id2}", "ExecutionStarted TaskCompleted")

	c.deploy("removed")
	c.send(raises[4])
	c.shows("{id5}", "Running", "null")

	c.deploy("first")
	eventually(t, "the event that {id4} waited for is there", func() bool { return strings.Contains(events(c, "{id4}"), "EventRaised") })
	c.send(recorded{Method: http.MethodPost, Path: "/runtime/webhooks/durabletask/instances/{id4}/raiseEvent/Go", Request: `"again"`, Status: http.StatusAccepted})
	for name, output := range map[string]string{
		"{id1}": `"Hello v1!"`, "{id2}": `"Hello v1!"`, "{id3}": `"v1"`, "{id4}": `["WaitTwoSeq","again"]`, "{id5}": `"Hello v1!"`,
	} {
		completes(t, c.h, c.ids[name], output)
	}
	wantEvents(c, "{id2}", "ExecutionStarted TaskCompleted EventRaised ExecutionCompleted")
}

// hellos waits until the activities have ended that the recording has.
func hellos(c *changes) {
	c.t.Helper()
	for _, name := range []string{"{id2}", "{id3}", "{id5}"} {
		eventually(c.t, "the activity of "+name+" has ended", func() bool { return strings.Contains(events(c, name), "TaskCompleted") })
	}
}

// events are the kinds of events that the API shows of an instance.
func events(c *changes, name string) string {
	c.t.Helper()
	reply, err := c.h.Do(bounded(c.t), http.MethodGet, "/api/durabletask/instances/"+c.ids[name]+"?showHistory=true", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	var kinds []string
	for _, e := range decode[struct {
		HistoryEvents []struct{ EventType string }
	}](c.t, reply.Body).HistoryEvents {
		kinds = append(kinds, e.EventType)
	}
	return strings.Join(kinds, " ")
}

func wantEvents(c *changes, name, want string) {
	c.t.Helper()
	if got := events(c, name); got != want {
		c.t.Errorf("the history of %s is %s, want %s", name, got, want)
	}
}
