package durable

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/taskhub"
)

// TestStartErrorsOfTheServer: the caller learns whether to come again, the log
// why.
func TestStartErrorsOfTheServer(t *testing.T) {
	before, out := slog.Default(), log.Writer()
	defer log.SetOutput(out)
	defer slog.SetDefault(before)
	for _, c := range []struct {
		err  error
		code int
		said string
	}{
		// Whether a service is away is logged once, where its state changes.
		{closedPort(t), 503, ""},
		{fmt.Errorf("starting: %w", context.DeadlineExceeded), 503, ""},
		{errors.New("the disk is full"), 500, "the disk is full"},
		{taskhub.ErrTooLarge, 413, ""},
	} {
		var logged bytes.Buffer
		slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
		w := httptest.NewRecorder()
		WriteStartError(w, c.err)
		if w.Code != c.code || !strings.Contains(logged.String(), c.said) || (logged.Len() == 0) != (c.said == "") {
			t.Errorf("%v: %d, the log is %s", c.err, w.Code, logged.String())
		}
		if (w.Header().Get("Retry-After") != "") != (c.code == 503) {
			t.Errorf("%v: headers %v", c.err, w.Header())
		}
	}
}

// closedPort is the error of a start where nothing listens.
func closedPort(t *testing.T) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := "http://" + l.Addr().String() + "/devstoreaccount1"
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := NewClient(ClientOptions{TaskHub: "Gone", ConnectionString: "AccountName=devstoreaccount1;AccountKey=a2V5;BlobEndpoint=" + at + ";QueueEndpoint=" + at + ";TableEndpoint=" + at})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.StartNew(t.Context(), "O", nil)
	return err
}
