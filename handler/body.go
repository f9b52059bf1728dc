package handler

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// DefaultBodyWithin is how long a caller may take to send a body.
const DefaultBodyWithin = 2 * time.Minute

// Bounds of what is read of a body that the function has not read.
const (
	maxDrain    = maxBody
	drainWithin = 30 * time.Second
)

// timedBody is the body of a request, with a deadline. It lifts the deadline
// when the body is there: the answer may take longer.
type timedBody struct {
	io.ReadCloser
	control *http.ResponseController
	// slow is whether the deadline has passed.
	slow bool
}

// timed gives the body of a request its deadline. A server that has no deadlines
// has no slow bodies: a test.
func (s *Server) timed(w http.ResponseWriter, r *http.Request) *timedBody {
	b := &timedBody{ReadCloser: r.Body, control: http.NewResponseController(w)}
	if r.Body == nil || r.Body == http.NoBody {
		b.ReadCloser = http.NoBody
		return b
	}
	within := s.BodyWithin
	if within == 0 {
		within = DefaultBodyWithin
	}
	_ = b.control.SetReadDeadline(time.Now().Add(within))
	return b
}

// Read reads until the deadline, then the error is [os.ErrDeadlineExceeded].
func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		_ = b.control.SetReadDeadline(time.Time{})
	case errors.Is(err, os.ErrDeadlineExceeded):
		b.slow = true
	}
	return n, err
}

// drain reads what is left, within bounds. A caller that is sending still, the
// host among them, would take a closed connection for a failure and never see
// the answer.
func (b *timedBody) drain() {
	if b.ReadCloser == http.NoBody || b.slow {
		return
	}
	_ = b.control.SetReadDeadline(time.Now().Add(drainWithin))
	_, _ = io.CopyN(io.Discard, b.ReadCloser, maxDrain)
}
