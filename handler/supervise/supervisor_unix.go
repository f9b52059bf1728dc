//go:build unix

package supervise

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"
)

const supported = true

// Files that a child inherits, in the order of their numbers.
const (
	listenerFile = 3
	lifeFile     = 4
	memoryFile   = 5
	reportFile   = 6
)

// bindTime is how long a supervisor tries to open its port: an orphan of the
// one before may hold it for a moment.
const bindTime = 10 * time.Second

// supervisor keeps children running. It is used by one goroutine, but for what
// mu guards.
type supervisor struct {
	o        Options
	listener *os.File
	life     *os.File // read end, for the children; the other end is held open
	memory   []byte
	journal  *os.File
	signals  chan os.Signal

	suspects  []string
	everReady bool
	stopping  bool

	mu     sync.Mutex
	blamed map[string]string
	ready  bool
}

// supervise runs children until it is told to stop or the first one does not
// get through its start. It returns the exit code.
func supervise(o Options) int {
	s := &supervisor{o: o, blamed: map[string]string{}, signals: make(chan os.Signal, 4)}
	signal.Notify(s.signals, os.Interrupt, syscall.SIGTERM)
	if err := s.open(); err != nil {
		o.Log.Error("the handler cannot start", "error", err)
		return 1
	}
	for failures := 0; ; {
		started := time.Now()
		state, last := s.runChild()
		if s.stopping {
			return 1
		}
		if !s.everReady {
			code := max(state.ExitCode(), 1)
			o.Log.Error("the handler ended at start", "exit", exitText(state), "line", lastLine(last))
			return code
		}
		s.investigate(exitText(state), last)
		if time.Since(started) > 30*time.Second {
			failures = 0
		}
		s.pause(failures)
		failures++
	}
}

// open opens the port and the shared memory.
func (s *supervisor) open() error {
	l, err := bind("127.0.0.1:" + s.o.Port)
	if err != nil {
		return err
	}
	if s.listener, err = l.(*net.TCPListener).File(); err != nil {
		return err
	}
	// The copy is what the children get; ours would take connections that
	// nobody serves.
	_ = l.Close()
	life, held, err := os.Pipe()
	if err != nil {
		return err
	}
	s.life = life
	keepOpen = held
	return s.openMemory()
}

// keepOpen is the end of the pipe whose closing, by the end of this process,
// ends the child.
var keepOpen *os.File

func (s *supervisor) openMemory() (err error) {
	if s.journal, err = os.CreateTemp("", "durable-journal-"); err != nil {
		return err
	}
	if err := os.Remove(s.journal.Name()); err != nil {
		return err
	}
	if err := s.journal.Truncate(slotSize * slotCount); err != nil {
		return err
	}
	s.memory, err = mapMemory(s.journal)
	return err
}

func mapMemory(f *os.File) ([]byte, error) {
	memory, err := syscall.Mmap(int(f.Fd()), 0, slotSize*slotCount, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mapping the journal: %w", err)
	}
	return memory, nil
}

func bind(address string) (net.Listener, error) {
	for deadline := time.Now().Add(bindTime); ; time.Sleep(50 * time.Millisecond) {
		l, err := net.Listen("tcp", address)
		if err == nil || time.Now().After(deadline) {
			return l, err
		}
	}
}

// runChild runs one child to its end and returns how it ended, with its last
// lines.
func (s *supervisor) runChild() (*os.ProcessState, []string) {
	report, reportEnd, err := os.Pipe()
	if err != nil {
		s.o.Log.Error("starting the handler's child", "error", err)
		return &os.ProcessState{}, nil
	}
	s.mu.Lock()
	s.ready = false
	known, err := json.Marshal(crash{Suspects: s.suspects, Blamed: s.blamed})
	s.mu.Unlock()
	tail := &tail{}
	cmd := exec.Command(os.Args[0], os.Args[1:]...)
	cmd.Env = append(os.Environ(), childVar+"=1", crashVar+"="+string(known))
	cmd.Stdout, cmd.Stderr = tail.through(os.Stdout), tail.through(os.Stderr)
	cmd.ExtraFiles = []*os.File{s.listener, s.life, s.journal, reportEnd}
	cmd.WaitDelay = time.Second
	if err = errors.Join(err, cmd.Start()); err != nil {
		s.o.Log.Error("starting the handler's child", "error", err)
		return &os.ProcessState{}, []string{err.Error()}
	}
	_ = reportEnd.Close()
	var group sync.WaitGroup
	group.Add(1)
	go func() {
		defer group.Done()
		s.listen(report)
	}()
	s.waitChild(cmd)
	_ = report.Close()
	group.Wait()
	s.mu.Lock()
	s.everReady = s.everReady || s.ready
	s.mu.Unlock()
	return cmd.ProcessState, tail.lines()
}

// waitChild passes signals on until the child has ended.
func (s *supervisor) waitChild(cmd *exec.Cmd) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	for {
		select {
		case sig := <-s.signals:
			s.stopping = true
			_ = cmd.Process.Signal(sig)
		case <-ended:
			return
		}
	}
}

// listen reads what a child reports.
func (s *supervisor) listen(report io.Reader) {
	for lines := bufio.NewScanner(report); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		s.mu.Lock()
		switch word {
		case "ready":
			s.ready = true
		case "settle":
			delete(s.blamed, rest)
		}
		s.mu.Unlock()
	}
}

// investigate decides whose code ended the child: that of a suspect that ran
// alone, or else everything that ran is suspect.
func (s *supervisor) investigate(how string, last []string) {
	running, trial := readSlots(s.memory)
	s.suspects = running
	if len(trial) > 0 {
		s.suspects = nil
		reason := how
		if len(last) > 0 {
			reason += ": " + strings.Join(last, "; ")
		}
		s.mu.Lock()
		for _, key := range trial {
			s.blamed[key] = reason
		}
		s.mu.Unlock()
	}
	s.o.Log.Error("the handler's child ended and is started again", "exit", how, "running", len(running), "blamed", trial)
}

// pause waits before another child is started: not at all the first time.
func (s *supervisor) pause(failures int) {
	if failures == 0 {
		return
	}
	time.Sleep(min(50*time.Millisecond<<min(failures, 8), 5*time.Second))
}

func exitText(state *os.ProcessState) string {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return "signal " + status.Signal().String()
	}
	return fmt.Sprintf("exit code %d", state.ExitCode())
}

// enterChild takes up what the supervisor has left.
func enterChild() *Child {
	life := os.NewFile(lifeFile, "life")
	go func() {
		// Nothing is ever written: the read ends when the supervisor has.
		_, _ = life.Read(make([]byte, 1))
		os.Exit(1)
	}()
	l, err := net.FileListener(os.NewFile(listenerFile, "listener"))
	if err != nil {
		fatal("taking over the listener", err)
	}
	memory, err := mapMemory(os.NewFile(memoryFile, "journal"))
	if err != nil {
		fatal("taking over the journal", err)
	}
	var c crash
	if err := json.Unmarshal([]byte(os.Getenv(crashVar)), &c); err != nil {
		fatal("reading what the supervisor knows", err)
	}
	// Programs that the app starts are not children of this kind.
	_ = os.Unsetenv(childVar)
	_ = os.Unsetenv(crashVar)
	for _, fd := range []int{listenerFile, lifeFile, memoryFile, reportFile} {
		syscall.CloseOnExec(fd)
	}
	report := os.NewFile(reportFile, "report")
	journal := newJournal(memory, c)
	journal.report = report
	return &Child{Listener: l, Journal: journal, report: report}
}

func fatal(what string, err error) {
	fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
	os.Exit(1)
}

// debugged tells whether a debugger runs this process: it must see the code
// that does the work.
func debugged() bool {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(status)) {
		if tracer, ok := strings.CutPrefix(line, "TracerPid:"); ok {
			return strings.TrimSpace(tracer) != "0"
		}
	}
	return false
}
