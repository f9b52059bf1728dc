package storage

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener whose connections are made in memory.
type pipes struct {
	made   chan net.Conn
	closed chan struct{}
	dials  atomic.Int32
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.made:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	p.dials.Add(1)
	here, there := net.Pipe()
	p.made <- there
	return here, nil
}

// TestIdleConnections: a pause of a minute costs no new connection to the real
// service. The emulator closes one that was idle for five seconds, and no request
// is sent on such a connection.
func TestIdleConnections(t *testing.T) {
	for _, c := range []struct {
		name, connection string
		closes           time.Duration // how long the server keeps a connection
		pause            time.Duration
		dials            int32
	}{
		{"service", "AccountName=a;AccountKey=a2V5", 4 * time.Minute, time.Minute, 1},
		{"service of another cloud", "AccountName=a;AccountKey=a2V5;EndpointSuffix=core.chinacloudapi.cn", 4 * time.Minute, time.Minute, 1},
		{"emulator", "UseDevelopmentStorage=true", 5 * time.Second, time.Minute, 3},
		{"emulator, quickly", "UseDevelopmentStorage=true", 5 * time.Second, time.Second, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				connection, err := Parse(c.connection)
				if err != nil {
					t.Fatal(err)
				}
				listener := &pipes{made: make(chan net.Conn), closed: make(chan struct{})}
				server := &http.Server{IdleTimeout: c.closes, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })}
				go func() { _ = server.Serve(listener) }()
				transport := connection.transport().Transport.(*http.Transport).Clone()
				transport.DialContext, transport.DialTLSContext = listener.dial, listener.dial
				client := &http.Client{Transport: transport}
				for range 3 {
					// A POST is not sent again by itself.
					resp, err := client.Post(connection.Table, "text/plain", strings.NewReader("x"))
					if err != nil {
						t.Fatal(err)
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
					<-time.After(c.pause)
				}
				if n := listener.dials.Load(); n != c.dials {
					t.Errorf("%d connections for three requests, want %d", n, c.dials)
				}
				transport.CloseIdleConnections()
				_ = server.Close()
			})
		})
	}
}
