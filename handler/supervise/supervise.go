package supervise

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// switchVariable turns the supervisor off when it is "off".
const switchVariable = "DURABLE_SUPERVISOR"

// bindPatience is how long a port may stay taken: by the process before this
// one, which is about to leave.
const bindPatience = 10 * time.Second

// parentPoll is how often a process looks whether the one that started it is
// still there. No system tells it.
const parentPoll = time.Second

// Options are what [Enter] may be told. The zero value means that no host
// started this process.
type Options struct {
	// Port is where the Functions host expects the handler, on 127.0.0.1: the
	// value of FUNCTIONS_CUSTOMHANDLER_PORT. Empty: there is no host, and so no
	// supervisor.
	Port string
	// Log takes what the supervisor has to say, and what ends a process of its
	// own accord. Default slog.Default().
	Log *slog.Logger
}

// Child is what the process that runs user code gets from [Enter].
type Child struct {
	// Listener is where the host sends its requests. It is nil when no host
	// started this process, when it is for a trial, and when the port could not be
	// opened within ten seconds: opening it once more then says why.
	Listener net.Listener
	// Trial means that this process is for one instance that is suspected to have
	// ended another one. It serves no requests and receives no messages: it takes
	// over those that [Journal.Takeover] returns, and works until it gets SIGTERM.
	Trial bool
	// Journal is told about user code; it is never nil.
	Journal *Journal
	// Stderr is for what the app's own library has to say. What user code writes to
	// os.Stderr is taken for the reason when it ends the process.
	Stderr *os.File

	words
}

// Ready tells the supervisor that this process has started well: its settings
// are good and it serves. A process that dies before it is ready, when none was
// ready before, ends the supervisor too. Ready may be called more than once.
func (c *Child) Ready() { c.Journal.ready() }

// Enter makes the process that the Functions host started the supervisor of a
// child, in which it does not return. In the child, and where there is no
// supervisor, it returns. It is to be called once, before user code runs.
func Enter(o Options) *Child {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if role := os.Getenv(childVariable); role != "" {
		c, err := enterChild(role, o.Log)
		if err != nil {
			o.Log.Error("the handler cannot start: " + err.Error())
			os.Exit(1)
		}
		return c
	}
	if o.Port != "" && canSupervise && !strings.EqualFold(os.Getenv(switchVariable), "off") && !debugged() {
		os.Exit(supervise(o))
	}
	return enterAlone(o)
}

// enterAlone goes without a supervisor, and leaves when the process that
// started this one is gone: an orphan would keep the port.
func enterAlone(o Options) *Child {
	go func() {
		<-parentGone()
		o.Log.Error("the process that started this one is gone; leaving")
		os.Exit(1)
	}()
	c := &Child{Journal: NewJournal(), Stderr: os.Stderr}
	if o.Port == "" {
		return c
	}
	ln, err := listen(o.Port)
	if err != nil {
		o.Log.Error("the handler cannot start: " + err.Error())
		return c
	}
	c.Listener = ln
	return c
}

// listen opens the port on loopback. The port may still belong to a process
// that is about to leave.
func listen(port string) (*net.TCPListener, error) {
	address := net.JoinHostPort("127.0.0.1", port)
	deadline := time.Now().Add(bindPatience)
	for {
		ln, err := net.Listen("tcp4", address)
		if err == nil {
			return ln.(*net.TCPListener), nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(deadline) {
			return nil, fmt.Errorf("opening the port that the Functions host has chosen: %w", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// parentGone is closed once another process has become the parent of this one. It
// is never closed on Windows, where parents do not change.
func parentGone() <-chan struct{} {
	gone := make(chan struct{})
	if !canSupervise {
		return gone
	}
	parent := os.Getppid()
	go func() {
		ticker := time.NewTicker(parentPoll)
		defer ticker.Stop()
		for os.Getppid() == parent {
			<-ticker.C
		}
		close(gone)
	}()
	return gone
}
