package durable

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"sync"
	"testing"

	"github.com/durable-go/functions/internal/storage/fake"
)

// spy is an account that looks for secrets in everything that it is sent.
type spy struct {
	*fake.Account

	mu sync.Mutex // guards the rest
	// bodies counts those that were looked through, blobs those of blobs.
	bodies, blobs int
	leaks         []string
}

// Do looks at a request and passes it on.
func (s *spy) Do(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		s.look(req.Method+" "+req.URL.Path, body)
	}
	return s.Account.Do(req)
}

var inBase64 = regexp.MustCompile(`[A-Za-z0-9+/]{40,}={0,2}`)

// look searches a body: as it is, unpacked, and in the base64 of its parts,
// to any depth.
func (s *spy) look(where string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bodies++
	if z, err := gzip.NewReader(bytes.NewReader(body)); err == nil {
		s.blobs++
		if body, err = io.ReadAll(z); err != nil {
			s.leaks = append(s.leaks, fmt.Sprintf("%s: %v", where, err))
		}
	}
	if found(body) {
		s.leaks = append(s.leaks, where)
	}
}

func found(body []byte) bool {
	if bytes.Contains(body, []byte(secret)) || bytes.Contains(body, []byte("4711")) && bytes.Contains(body, []byte("TopSecret")) {
		return true
	}
	for _, text := range inBase64.FindAll(body, -1) {
		if raw, err := base64.StdEncoding.DecodeString(string(text)); err == nil && found(raw) {
			return true
		}
	}
	return false
}

func (s *spy) check(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bodies < 10 {
		t.Errorf("only %d requests were looked through", s.bodies)
	}
	for _, leak := range s.leaks {
		t.Errorf("the secret is in clear in %s", leak)
	}
}

// TestSpyFinds: the test of secrets would find one.
func TestSpyFinds(t *testing.T) {
	s := &spy{}
	envelope := base64.StdEncoding.EncodeToString([]byte(`{"Input":"` + secret + `", and something more than that}`))
	for _, body := range []string{secret, "<MessageText>" + envelope + "</MessageText>", `{"x":"` + base64.StdEncoding.EncodeToString([]byte(envelope)) + `"}`} {
		s.look(body, []byte(body))
	}
	if len(s.leaks) != 3 {
		t.Errorf("found in %q", s.leaks)
	}
}
