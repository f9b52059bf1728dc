//go:build unix

package supervise

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// process is a child of the supervisor.
type process struct {
	// trial is the instance that is alone in it; empty in the one that serves.
	trial  string
	cmd    *exec.Cmd
	shared region
	stderr *tail
	since  time.Time
	ooms   uint64 // the count of outOfMemory when it began
	inbox  *inbox

	// The rest is owned by the supervisor's goroutine.
	leaving  string    // why it said that it would end
	handed   bool      // it was given messages
	stopping time.Time // when it was told to stop
}

// event is what a process did: it reported something, or died.
type event struct {
	from *process
	said *report // nil: it is dead
}

// start starts a process and tells it what it has to know. Its reports and its
// death come as events.
func (s *supervisor) start(told briefing) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding the executable: %w", err)
	}
	lifeRead, lifeWrite, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("making a pipe: %w", err)
	}
	defer func() { _ = lifeRead.Close() }()
	reportRead, reportWrite, err := os.Pipe()
	if err != nil {
		_ = lifeWrite.Close()
		return nil, fmt.Errorf("making a pipe: %w", err)
	}
	defer func() { _ = reportWrite.Close() }()
	file, shared, err := newRegion()
	if err != nil {
		_, _ = lifeWrite.Close(), reportRead.Close()
		return nil, err
	}
	defer func() { _ = file.Close() }()
	p := &process{trial: told.Trial, shared: shared, stderr: &tail{to: os.Stderr}, since: time.Now(), ooms: outOfMemory()}
	p.cmd = exec.Command(self, os.Args[1:]...)
	p.cmd.Args[0] = os.Args[0]
	p.cmd.Env = append(os.Environ(), childVariable+"="+roleOf(told))
	p.cmd.Stdout = os.Stdout
	p.cmd.Stderr = p.stderr
	p.cmd.ExtraFiles = []*os.File{lifeRead, file, reportWrite, os.Stderr}
	if told.Trial == "" {
		p.cmd.ExtraFiles = append(p.cmd.ExtraFiles, s.listener)
	}
	// Signals of a terminal go to the whole process group: a child gets them
	// from the supervisor, once.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// What the child started may hold stderr open for longer than it lives.
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		_, _ = lifeWrite.Close(), reportRead.Close()
		_ = syscall.Munmap(shared)
		return nil, fmt.Errorf("starting %s: %w", self, err)
	}
	p.inbox = newInbox(lifeWrite, told)
	go s.listenTo(p, reportRead)
	return p, nil
}

// listenTo passes on what a process says, and then its death.
func (s *supervisor) listenTo(p *process, reports *os.File) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for dec := json.NewDecoder(reports); ; {
			var r report
			if dec.Decode(&r) != nil {
				return
			}
			s.events <- event{from: p, said: &r}
		}
	}()
	_ = p.cmd.Wait()
	select {
	case <-ended:
	case <-time.After(time.Second): // something that it started holds the pipe
	}
	_ = reports.Close()
	<-ended
	p.inbox.close()
	s.events <- event{from: p}
}

// inbox writes briefings to a process in their order, and never keeps the caller
// waiting. The process ends when it is closed.
type inbox struct {
	mu      sync.Mutex
	waiting []briefing // guarded by mu
	closed  bool       // guarded by mu
	more    chan struct{}
}

func newInbox(to *os.File, first briefing) *inbox {
	b := &inbox{more: make(chan struct{}, 1)}
	b.put(first)
	go b.run(to)
	return b
}

func (b *inbox) put(told briefing) {
	b.mu.Lock()
	b.waiting = append(b.waiting, told)
	b.mu.Unlock()
	b.wake()
}

func (b *inbox) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.wake()
}

func (b *inbox) wake() {
	select {
	case b.more <- struct{}{}:
	default:
	}
}

// run ends after close: a dead process makes writes to its pipe fail.
func (b *inbox) run(to *os.File) {
	defer func() { _ = to.Close() }()
	enc := json.NewEncoder(to)
	for range b.more {
		b.mu.Lock()
		batch, closed := b.waiting, b.closed
		b.waiting = nil
		b.mu.Unlock()
		if closed {
			return
		}
		for _, told := range batch {
			_ = enc.Encode(told)
		}
	}
}

// code is the exit code that a shell would report.
func (p *process) code() int { return exitCode(p.cmd.ProcessState) }

// signal is what ended the process, 0 where nothing did. A guard passes on what
// ended its child.
func (p *process) signal() syscall.Signal {
	code := p.code()
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() || p.trial != "" && code > signalCode {
		return syscall.Signal(code - signalCode)
	}
	return 0
}

// killed reports whether the process died by SIGKILL.
func (p *process) killed() bool { return p.signal() == syscall.SIGKILL }

// reason says how the process ended and what its code said last.
func (p *process) reason(outOfMemory bool) string {
	how := fmt.Sprintf("exit code %d", p.cmd.ProcessState.ExitCode())
	if sig := p.signal(); sig != 0 {
		how = "signal " + sig.String()
	}
	if outOfMemory {
		how += " (out of memory)"
	}
	if said := p.stderr.reason(p.shared.words()); said != "" {
		how += ": " + said
	}
	return how
}

// free gives back the memory of a process that is dead.
func (p *process) free() { _ = syscall.Munmap(p.shared) }
