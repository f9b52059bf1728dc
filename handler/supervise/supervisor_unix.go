//go:build unix

package supervise

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

// canSupervise says that a listener can be handed to a child.
const canSupervise = true

const (
	// longestPause is how far the pauses between restarts grow: requests wait
	// that long for the next child.
	longestPause = time.Second
	// goodLife is how long a child has to live for the next one to start
	// without a pause.
	goodLife = 10 * time.Second
	// maxUnready is how many children in a row may die before they are ready,
	// when one was ready before.
	maxUnready = 10
	// stopPatience is how long a child may take to stop when it is told to.
	stopPatience = 30 * time.Second
)

// supervisor is owned by the goroutine that called Enter.
type supervisor struct {
	log      *slog.Logger
	listener *os.File
	file     *os.File
	shared   region
	docket   *docket
	stop     chan os.Signal
	orphaned <-chan struct{}

	wasReady bool // some child was
	unready  int  // children in a row that were not
	restarts int  // in a row, none of which lived long
}

// supervise runs children until it is told to stop, and returns the code to
// exit with.
func supervise(o Options) (code int) {
	s, err := newSupervisor(o)
	if err != nil {
		o.Log.Error("the handler cannot start: " + err.Error())
		return 1
	}
	for {
		c, err := s.start()
		if err != nil {
			s.log.Error("the handler cannot start: " + err.Error())
			if s.unready++; !s.wasReady || s.unready >= maxUnready {
				return 1
			}
		} else if code, end := s.watch(c); end {
			return code
		}
		select {
		case <-time.After(s.pause()):
		case <-s.stop:
			return 1
		case <-s.orphaned:
			return 1
		}
	}
}

func newSupervisor(o Options) (*supervisor, error) {
	s := &supervisor{log: o.Log, docket: newDocket(), stop: make(chan os.Signal, 2), orphaned: parentGone()}
	signal.Notify(s.stop, syscall.SIGTERM, syscall.SIGINT)
	ln, err := listen(o.Port)
	if err != nil {
		return nil, err
	}
	if s.listener, err = ln.File(); err != nil {
		return nil, fmt.Errorf("taking the listener: %w", err)
	}
	_ = ln.Close() // the copy keeps the port open
	if s.file, err = createRegion(); err != nil {
		return nil, err
	}
	s.shared, err = mapRegion(s.file)
	return s, err
}

// watch waits for the end of a child. end says that the supervisor is to exit
// with the code.
func (s *supervisor) watch(c *child) (code int, end bool) {
	defer func() { _ = c.life.Close() }()
	select {
	case <-c.dead:
	case sig := <-s.stop:
		return s.stopChild(c, sig), true
	case <-s.orphaned:
		s.log.Error("the process that started the handler is gone; leaving")
		return s.stopChild(c, syscall.SIGTERM), true
	}
	select {
	case <-s.stop: // it was asked for, even if the child went first
		return c.code(), true
	default:
		return s.bury(c)
	}
}

// child is a process that runs user code.
type child struct {
	cmd    *exec.Cmd
	life   *os.File // closed to end the process
	stderr *tail
	since  time.Time
	dead   chan struct{} // closed when cmd.Wait has returned
}

func (s *supervisor) start() (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding the executable: %w", err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("making a pipe: %w", err)
	}
	defer func() { _ = read.Close() }()
	s.shared.reset()
	c := &child{life: write, stderr: &tail{to: os.Stderr}, since: time.Now(), dead: make(chan struct{})}
	c.cmd = exec.Command(self, os.Args[1:]...)
	c.cmd.Args[0] = os.Args[0]
	c.cmd.Env = append(os.Environ(), childVariable+"=1")
	c.cmd.Stdout = os.Stdout
	c.cmd.Stderr = c.stderr
	c.cmd.ExtraFiles = []*os.File{s.listener, read, s.file}
	// Signals of a terminal go to the whole process group: the child gets them
	// from the supervisor, once.
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// What the child started may hold stderr open for longer than it lives.
	c.cmd.WaitDelay = time.Second
	if err := c.cmd.Start(); err != nil {
		_ = write.Close()
		return nil, fmt.Errorf("starting %s: %w", self, err)
	}
	told := s.docket.briefing()
	go func() { _ = json.NewEncoder(write).Encode(told) }() // ends with the child at the latest
	go func() {
		_ = c.cmd.Wait()
		close(c.dead)
	}()
	return c, nil
}

// bury deals with the death of a child that nobody asked for.
func (s *supervisor) bury(c *child) (code int, end bool) {
	reason := c.reason()
	if s.shared.isReady() {
		s.wasReady, s.unready = true, 0
	} else {
		s.unready++
	}
	if !s.wasReady || s.unready >= maxUnready {
		s.log.Error("the handler ended before it was ready: " + reason)
		return max(c.code(), 1), true // the host does not notice a code of 0
	}
	if time.Since(c.since) > goodLife {
		s.restarts = 0
	}
	guilty, suspects := s.docket.died(s.shared.records(), reason, time.Now())
	if len(guilty) > 0 {
		s.restarts = 0 // the cause is found
	}
	s.log.Error("the handler's process ended and is started again",
		"reason", reason, "pid", c.cmd.Process.Pid, "blamed", guilty, "suspects", len(suspects))
	return 0, false
}

// pause is how long to wait before the next child starts: not at all for the
// first one.
func (s *supervisor) pause() time.Duration {
	s.restarts++
	if s.restarts == 1 {
		return 0
	}
	return min(100*time.Millisecond<<min(s.restarts-2, 10), longestPause)
}

// stopChild passes a signal on and waits for the child, but not for ever. A
// second signal ends it at once.
func (s *supervisor) stopChild(c *child, sig os.Signal) (code int) {
	_ = c.cmd.Process.Signal(sig)
	select {
	case <-c.dead:
		return c.code()
	case <-s.stop:
	case <-time.After(stopPatience):
	}
	_ = c.cmd.Process.Kill()
	<-c.dead
	return c.code()
}

// code is the exit code that a shell would report.
func (c *child) code() int {
	if status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return c.cmd.ProcessState.ExitCode()
}

// reason says how the process ended and what it said last.
func (c *child) reason() string {
	how := fmt.Sprintf("exit code %d", c.cmd.ProcessState.ExitCode())
	if status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		how = "signal " + status.Signal().String()
	}
	if line := c.stderr.reason(); line != "" {
		how += ": " + line
	}
	return how
}
