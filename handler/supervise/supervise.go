// Package supervise keeps an app alive whose user code ends its process.
//
// The Functions host counts the exits of a handler and stops everything at the
// third. So the process that the host starts is a supervisor, which runs no
// user code beyond package initialisation: it opens the port and keeps a child
// of the same program running, which inherits the port and does the work. The
// host does not notice when the child dies. A journal in shared memory tells
// the supervisor what user code ran at that moment; the next child runs these
// suspects one at a time, and code that ends the process again is not run any
// more.
package supervise

import (
	"log/slog"
	"net"
	"os"
	"time"
)

// Options configure Enter.
type Options struct {
	// Port is where the host expects the handler, on 127.0.0.1. Empty: there is
	// no host, and so no supervisor.
	Port string
	Log  *slog.Logger
}

// Child is the process that does the work.
type Child struct {
	// Listener is the port of the supervisor; nil without one.
	Listener net.Listener
	// Journal knows what user code runs.
	Journal *Journal

	report *os.File // to the supervisor; nil without one
}

// Ready tells the supervisor that the child has got through its start: from now
// on it is started again when it dies. A child that dies before ends the
// supervisor with its own exit code.
func (c *Child) Ready() {
	if c.report != nil {
		_, _ = c.report.WriteString("ready\n")
	}
}

// Environment variables between a supervisor and its child.
const (
	childVar = "DURABLE_SUPERVISED_CHILD"
	crashVar = "DURABLE_SUPERVISED_CRASH"
	// offVar switches the supervisor off when it is "off".
	offVar = "DURABLE_SUPERVISOR"
)

// Enter returns in the process that shall do the work. In the one that the host
// started it does not return: it supervises. There is no supervisor without a
// port, under a debugger, with DURABLE_SUPERVISOR=off, and on systems that
// cannot hand a listener over; the journal then goes by delivery counts, and
// the process ends when its parent has gone.
func Enter(o Options) *Child {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	switch {
	case os.Getenv(childVar) != "":
		return enterChild()
	case o.Port == "" || os.Getenv(offVar) == "off" || !supported || debugged():
		go watchParent()
		return &Child{Journal: newJournal(nil, crash{})}
	}
	os.Exit(supervise(o))
	return nil
}

// watchParent ends an orphan: it would keep the port, and work that nobody asks
// for.
func watchParent() {
	parent := os.Getppid()
	for range time.Tick(time.Second) {
		if supported && os.Getppid() != parent {
			os.Exit(1)
		}
	}
}
