package management_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"testing"

	"github.com/durable-go/functions/internal/management"
	"github.com/durable-go/functions/internal/taskhub"
)

// A caller is told to come again when storage does not answer, and the log is not
// filled with that.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		err    error
		code   int
		retry  string
		logged bool
	}{
		{&net.OpError{Op: "dial", Err: errors.New("connection refused")}, 503, "5", false},
		{fmt.Errorf("starting: %w", taskhub.ErrUnavailable), 503, "5", false},
		{errors.New("damaged"), 500, "", true},
	} {
		var log bytes.Buffer
		w := httptest.NewRecorder()
		management.WriteFault(w, slog.New(slog.NewTextHandler(&log, nil)), "a start failed", c.err)
		if w.Code != c.code || w.Header().Get("Retry-After") != c.retry || log.Len() > 0 != c.logged {
			t.Errorf("%v: %d, Retry-After %q, log %q", c.err, w.Code, w.Header().Get("Retry-After"), log.String())
		}
	}
}
