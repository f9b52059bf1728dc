package management

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/memory"
)

// begin is when the tests' clock starts.
var begin = time.Date(2026, 3, 4, 5, 6, 7, 123456700, time.UTC)

const (
	control   = "hub-control-00"
	operators = "/api/durabletask"
	links     = "/api/durabletask-links"
)

// site is an API over a hub in memory, with keys that are always the same.
type site struct {
	*API
	hub   *memory.Hub
	store *broken
	logs  *bytes.Buffer
	now   time.Time
}

// broken is a hub that can stop answering, or be slow.
type broken struct {
	*memory.Hub
	err  error
	slow time.Duration
	// full is what sending a message fails with.
	full error
}

func (b *broken) Send(ctx context.Context, queue string, m *taskhub.Message, delay time.Duration) (*taskhub.Lease, error) {
	if b.full != nil {
		return nil, b.full
	}
	return b.Hub.Send(ctx, queue, m, delay)
}

func (b *broken) Instance(ctx context.Context, id string) (*taskhub.Instance, error) {
	if b.err != nil {
		return nil, b.err
	}
	select {
	case <-time.After(b.slow):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return b.Hub.Instance(ctx, id)
}

func (b *broken) Insert(ctx context.Context, row *taskhub.Instance) error {
	if b.err != nil {
		return b.err
	}
	return b.Hub.Insert(ctx, row)
}

func (b *broken) Secrets(ctx context.Context, name string, initial []byte) ([]byte, error) {
	if b.err != nil {
		return nil, b.err
	}
	return b.Hub.Secrets(ctx, name, initial)
}

// counting counts the reads of secrets.
type counting struct {
	taskhub.Store
	reads int
}

func (c *counting) Secrets(ctx context.Context, name string, initial []byte) ([]byte, error) {
	c.reads++
	return c.Store.Secrets(ctx, name, initial)
}

// keyText is a key file with a key for signing and an older one.
func keyText(t testing.TB) []byte {
	t.Helper()
	raw, err := json.Marshal(keyFile{Keys: []signingKey{
		{ID: "new00000", Secret: bytes.Repeat([]byte{1}, 32)},
		{ID: "old00000", Secret: bytes.Repeat([]byte{2}, 32)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func newSite(t testing.TB) *site {
	t.Helper()
	s := &site{logs: &bytes.Buffer{}, now: begin}
	clock := func() time.Time { return s.now }
	s.hub = memory.New(memory.Options{Now: clock})
	s.store = &broken{Hub: s.hub}
	if _, err := s.hub.Secrets(t.Context(), "keys.json", keyText(t)); err != nil {
		t.Fatal(err)
	}
	s.API = &API{
		Client: client.New(s.store, client.Options{Queue: control, Now: clock}),
		Links:  &Links{Keys: NewKeys(s.store, "Hub", clock), Path: links},
		Log:    slog.New(slog.NewTextHandler(s.logs, nil)),
		Check: func(name string) error {
			if strings.EqualFold(name, "Orchestrator") {
				return nil
			}
			return fmt.Errorf("The function '%s' doesn't exist, is disabled, or is not an orchestrator function. Additional info: The following are the known orchestrator functions: 'Orchestrator'.", name)
		},
	}
	return s
}

// put stores an instance.
func (s *site) put(t testing.TB, id string, status history.Status, change ...func(*taskhub.Instance)) *taskhub.Instance {
	t.Helper()
	row := &taskhub.Instance{ID: id, ExecutionID: "x", Name: "Orchestrator", Status: status, Created: begin, Updated: begin.Add(time.Second)}
	for _, f := range change {
		f(row)
	}
	if err := s.hub.Insert(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	return row
}

// do answers a request. Headers are name, value, name, value ...
func (s *site) do(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://localhost:7071"+target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	// The doors get requests as the host sends them: a ServeMux would clean
	// their paths.
	door := s.Operators(operators)
	if strings.HasPrefix(strings.ToLower(r.URL.Path), links) {
		door = s.Signed(links)
	}
	door.ServeHTTP(w, r)
	return w
}

// sign is the query of a link.
func (s *site) sign(t testing.TB, id, op string) string {
	t.Helper()
	query, err := s.Links.Keys.Sign(t.Context(), id, op, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return query
}
