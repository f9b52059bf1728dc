package management

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// Bodies that are refused change nothing, and are answered as what they are.
func TestBodies(t *testing.T) {
	const limit = 1000
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	cases := []struct {
		name, body string
		want       int
	}{
		{"as deep as allowed", deep(maxDepth), 202},
		{"too deep", deep(maxDepth + 1), 400},
		{"deep objects", strings.Repeat(`{"a":`, maxDepth) + `1` + strings.Repeat(`}`, maxDepth), 202},
		{"brackets in a text", `"` + strings.Repeat("[", 900) + `"`, 202},
		{"as large as allowed", `"` + strings.Repeat("x", limit-2) + `"`, 202},
		{"too large", `"` + strings.Repeat("x", limit-1) + `"`, 413},
		{"too large, and spaces", strings.Repeat(" ", limit+1), 413},
		{"members twice", `{"a":1,"a":2}`, 202},
		{"a number out of range", `1e999999`, 202},
		{"a number with many digits", strings.Repeat("9", 400), 202},
		{"no JSON", `{"a"`, 400},
		{"two values", `1 2`, 400},
		{"a comment", `1 // one`, 400},
		{"NaN", `NaN`, 400},
		{"no UTF-8", "\"\xff\"", 400},
		{"a byte order mark", "\ufeff1", 400},
		{"half a surrogate", `"\ud800"`, 202},
		{"NUL", "\x00", 400},
	}
	for _, c := range cases {
		for _, target := range []string{"/orchestrators/Orchestrator/new", "/instances/i/raiseEvent/Go"} {
			t.Run(c.name+target, func(t *testing.T) {
				s := newSite(t)
				s.Client = client.New(s.store, client.Options{Queue: control, MaxPayload: limit})
				s.put(t, "i", history.Running)
				before := s.everything(t)
				w := s.do(http.MethodPost, operators+target, c.body, "Content-Type", "application/json")
				if w.Code != c.want || (s.everything(t) == before) != (c.want != 202) {
					t.Errorf("%d %.200s, want %d", w.Code, w.Body, c.want)
				}
				if c.want != 202 && !strings.HasPrefix(w.Body.String(), `{"Message":`) {
					t.Errorf("%.200s", w.Body)
				}
			})
		}
	}
}

// Inputs are kept as they were sent, but for the space between tokens.
func TestBodiesAreKept(t *testing.T) {
	for body, want := range map[string]string{
		`{ "a" : 1, "a" : 2 }`:               `{"a":1,"a":2}`,
		`[1.0, 12345678901234567890, 1e999]`: `[1.0,12345678901234567890,1e999]`,
		strings.Repeat("9", 400):             strings.Repeat("9", 400),
		`"\u00e9 <&> é"`:                     `"\u00e9 <&> é"`,
	} {
		s := newSite(t)
		s.do(http.MethodPost, operators+"/orchestrators/Orchestrator/new", body)
		w := s.do(http.MethodGet, operators+"/instances/new", "")
		if !strings.Contains(w.Body.String(), `"input":`+want+`,`) {
			t.Errorf("%s: %s", body, w.Body)
		}
	}
}

// dial serves one connection of a pipe.
func (s *site) dial(t *testing.T) (conn net.Conn, stop func()) {
	t.Helper()
	mine, theirs := net.Pipe()
	connections := make(chan net.Conn, 1)
	connections <- theirs
	server := &http.Server{Handler: s.Operators(operators)} //nolint:gosec // The handler sets the deadlines that are tested.
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(&pipe{connections})
	}()
	return mine, func() {
		_ = mine.Close()
		_ = server.Close()
		<-done
	}
}

// pipe is a listener whose connections were made before.
type pipe struct{ connections chan net.Conn }

func (p *pipe) Accept() (net.Conn, error) {
	conn, ok := <-p.connections
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (p *pipe) Close() error {
	close(p.connections)
	return nil
}

func (p *pipe) Addr() net.Addr { return &net.TCPAddr{} }

// A body that does not come is waited for as long as is said, whether it is
// wanted or not, and then answered.
func TestSlowBodies(t *testing.T) {
	cases := []struct {
		method, target string
		want           int
		changes        bool
	}{
		{"POST", "/orchestrators/Orchestrator/new", http.StatusRequestTimeout, false},
		{"POST", "/instances/i/raiseEvent/Go", http.StatusRequestTimeout, false},
		{"POST", "/instances/i/terminate", http.StatusAccepted, true},
		{"GET", "/instances/i", http.StatusAccepted, false},
		{"POST", "/nothing", http.StatusNotFound, false},
	}
	for _, c := range cases {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t)
			s.put(t, "i", history.Running)
			before := s.everything(t)
			conn, stop := s.dial(t)
			defer stop()
			from := time.Now()
			_, err := fmt.Fprintf(conn, "%s %s%s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[", c.method, operators, c.target)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatalf("%s: %v", c.target, err)
			}
			body, _ := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			if answer.StatusCode != c.want || time.Since(from) > bodyWithin || c.want == http.StatusRequestTimeout && !strings.Contains(string(body), "30s") {
				t.Errorf("%s: %d %s after %v", c.target, answer.StatusCode, body, time.Since(from))
			}
			if (s.everything(t) != before) != c.changes {
				t.Errorf("%s: changed %v", c.target, !c.changes)
			}
		})
	}
}

// The deadline of a body does not outlive it: an answer may take longer.
func TestLongAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.Client = client.New(s.store, client.Options{Queue: control})
		conn, stop := s.dial(t)
		defer stop()
		from := time.Now()
		if _, err := fmt.Fprintf(conn, "POST %s/orchestrators/Orchestrator/new?timeout=100&pollingInterval=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]", operators); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusAccepted || time.Since(from) < 99*time.Second {
			t.Errorf("%d after %v", answer.StatusCode, time.Since(from))
		}
	})
}

// Where too many events wait for an instance, the sender is told to come again.
func TestTooManyEvents(t *testing.T) {
	s := newSite(t)
	s.lived(t, "i", history.Running)
	s.store.full = fmt.Errorf("instance %q: 1000 events: %w", "i", taskhub.ErrBacklog)
	w := s.do(http.MethodPost, operators+"/instances/i/raiseEvent/Go", "1", "Content-Type", "application/json")
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "too many events wait") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}
