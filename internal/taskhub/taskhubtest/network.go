package taskhubtest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
)

// Network passes the requests of a store on, counts them, and fails as a case
// wants. It may be used concurrently.
type Network struct {
	do func(*http.Request) (*http.Response, error)

	mu       sync.Mutex // guards the rest
	requests int
	// lose means that the answer of the next transaction is lost.
	lose bool
	// left is how many requests pass before the process ends; after means that
	// the one at which it ends is made. Negative: it does not end.
	left  int
	after bool
}

// NewNetwork makes a network of what answers requests.
func NewNetwork(do func(*http.Request) (*http.Response, error)) *Network {
	return &Network{do: do, left: -1}
}

// ErrCut is the error of a request of a process that has ended.
var ErrCut error = cut{}

type cut struct{}

func (cut) Error() string { return "the process has ended" }

// NonRetriable keeps the SDK from trying again.
func (cut) NonRetriable() {}

// Do makes a request.
func (n *Network) Do(req *http.Request) (*http.Response, error) {
	n.mu.Lock()
	n.requests++
	lose := n.lose && strings.HasSuffix(req.URL.Path, "$batch")
	if lose {
		n.lose = false
	}
	ended, last := n.left == 0, n.left == 1 && n.after
	if n.left > 0 {
		n.left--
	}
	n.mu.Unlock()
	if ended {
		return nil, ErrCut
	}
	if lose || last {
		// The transport may read the body still when the SDK, whose body it is,
		// tries again.
		var err error
		if req, err = withOwnBody(req); err != nil {
			return nil, err
		}
	}
	resp, err := n.do(req)
	switch {
	case err != nil || !lose && !last:
		return resp, err
	case last:
		_ = resp.Body.Close()
		return nil, ErrCut
	}
	_ = resp.Body.Close()
	return nil, errors.New("the answer was lost")
}

func withOwnBody(req *http.Request) (*http.Request, error) {
	if req.Body == nil {
		return req, nil
	}
	content, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	own := req.Clone(req.Context())
	own.Body = io.NopCloser(bytes.NewReader(content))
	return own, nil
}

// LoseAnswer loses the answer of the next transaction.
func (n *Network) LoseAnswer() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lose = true
}

// Cut ends the process at request number at from now on, counted from 1; 0
// begins another process. With after that request is made and its answer lost.
func (n *Network) Cut(at int, after bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.left, n.after = at-1, after
	if after {
		n.left = at
	}
	if at == 0 {
		n.left = -1
	}
}

// Requests is how many there were.
func (n *Network) Requests() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.requests
}

// Harness is that of a store behind the network.
func (n *Network) Harness(h Harness) Harness {
	h.LoseAnswer, h.Requests, h.Cut = n.LoseAnswer, n.Requests, n.Cut
	return h
}
