package durable

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/durable-go/functions/handler"
)

type addressed struct {
	net.Listener
	at string
}

func (a addressed) Addr() net.Addr {
	at, err := net.ResolveTCPAddr("tcp", a.at)
	if err != nil {
		panic(err)
	}
	return at
}

// An app without a host says when others can reach it, and asks for a key where
// one is set.
func TestStandaloneWarns(t *testing.T) {
	for _, c := range []struct{ at, key, want string }{
		{"127.0.0.1:7071", "", ""},
		{"[::1]:7071", "k", ""},
		{"0.0.0.0:7071", "", functionKey},
		{"[::]:7071", "k", "TLS"},
		{"192.168.1.5:7071", "", functionKey},
	} {
		t.Setenv(functionKey, c.key)
		var logged bytes.Buffer
		s := &service{
			app:    &App{log: slog.New(slog.NewTextHandler(&logged, nil))},
			config: &handler.App{}, server: &handler.Server{},
		}
		s.standalone(addressed{at: c.at})
		if got := logged.String(); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s with key %q: logged %q", c.at, c.key, got)
		}
		if s.server.Key != c.key {
			t.Errorf("key %q", s.server.Key)
		}
	}
}
