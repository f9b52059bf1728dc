//go:build unix

package supervise

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"syscall"
)

// childVariable marks the environment of a child, and says what it is for.
const childVariable = "DURABLE_SUPERVISED_CHILD"

// The values of childVariable.
const (
	roleServe = "serve"
	roleGuard = "guard" // the parent of roleTrial
	roleTrial = "trial"
)

func roleOf(told briefing) string {
	if told.Trial != "" {
		return roleGuard
	}
	return roleServe
}

// The files that a child inherits, in the order of exec.Cmd.ExtraFiles. Only the
// one that serves has the listener.
const (
	lifeFile = 3 + iota
	regionFile
	reportFile
	errorFile
	listenerFile
)

// enterChild takes over what the supervisor handed down. The marker and the
// files go no further than this process.
func enterChild(role string, log *slog.Logger) (*Child, error) {
	if err := os.Unsetenv(childVariable); err != nil {
		return nil, fmt.Errorf("entering as a supervised process: %w", err)
	}
	if role == roleGuard {
		os.Exit(guard(log))
	}
	last := errorFile
	if role == roleServe {
		last = listenerFile
	}
	for fd := lifeFile; fd <= last; fd++ {
		syscall.CloseOnExec(fd)
	}
	shared, err := mapRegion(os.NewFile(regionFile, "journal"))
	if err != nil {
		return nil, fmt.Errorf("entering as a supervised process (%s is set): the journal: %w", childVariable, err)
	}
	c := &Child{Stderr: os.NewFile(errorFile, "stderr"), words: words{shared: shared}}
	if role == roleServe {
		handed := os.NewFile(uintptr(listenerFile), "listener")
		if c.Listener, err = net.FileListener(handed); err != nil {
			return nil, fmt.Errorf("entering as a supervised process: the listener: %w", err)
		}
		_ = handed.Close()
	}
	life := json.NewDecoder(os.NewFile(lifeFile, "life"))
	var told briefing
	if err := life.Decode(&told); err != nil {
		return nil, fmt.Errorf("entering as a supervised process: the supervisor's briefing: %w", err)
	}
	reports := &outbox{to: os.NewFile(reportFile, "reports")}
	c.Journal, c.Trial = newSharedJournal(shared, reports.put, told), told.Trial != ""
	c.Journal.intact = stillThere(lifeFile)
	go leaveWith(life, c.Journal, told.Host)
	return c, nil
}

// stillThere returns a function that reports whether a descriptor is open, and is
// the one that it is now.
func stillThere(fd int) func() bool {
	var first syscall.Stat_t
	if syscall.Fstat(fd, &first) != nil {
		return func() bool { return true }
	}
	return func() bool {
		var now syscall.Stat_t
		return syscall.Fstat(fd, &now) == nil && now.Dev == first.Dev && now.Ino == first.Ino
	}
}

// leaveWith passes on what the supervisor says, and ends the process when the
// supervisor is gone: only it holds the other end of the pipe. A process that
// kept the port without a supervisor would keep the host from starting another
// one.
func leaveWith(life *json.Decoder, j *Journal, host int) {
	for {
		var told briefing
		if life.Decode(&told) != nil {
			leaveBehind(host, j.trial, j.shared)
			os.Exit(1)
		}
		j.brief(told)
	}
}

// mapRegion maps the journal's file, which stays mapped.
func mapRegion(f *os.File) (region, error) {
	mem, err := syscall.Mmap(int(f.Fd()), 0, regionSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mapping %s: %w", f.Name(), err)
	}
	return mem, nil
}

// newRegion makes and maps a file for the journal of a child.
func newRegion() (*os.File, region, error) {
	f, err := createRegion()
	if err != nil {
		return nil, nil, err
	}
	shared, err := mapRegion(f)
	if err != nil {
		_ = f.Close()
		return nil, nil, err
	}
	return f, shared, nil
}

// createRegion makes the file. It has no name, and all of its space is taken at
// once: a write to memory fails by a signal when the disk is full.
func createRegion() (*os.File, error) {
	var failure error
	for _, dir := range []string{"/dev/shm", os.TempDir()} {
		f, err := os.CreateTemp(dir, "durable-journal-*")
		if err == nil {
			_ = os.Remove(f.Name())
			if _, err = f.Write(make([]byte, regionSize)); err == nil {
				return f, nil
			}
			_ = f.Close()
		}
		failure = err
	}
	return nil, fmt.Errorf("a file for the journal: %w", failure)
}
