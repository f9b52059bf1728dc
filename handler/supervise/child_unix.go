//go:build unix

package supervise

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

// childVariable marks the environment of a child.
const childVariable = "DURABLE_SUPERVISED_CHILD"

// The files that a child inherits, in the order of exec.Cmd.ExtraFiles.
const (
	listenerFile = 3 + iota
	lifeFile
	regionFile
)

// enterChild takes over what the supervisor handed down. The marker and the
// files go no further than this process.
func enterChild() (*Child, error) {
	if err := os.Unsetenv(childVariable); err != nil {
		return nil, fmt.Errorf("entering as a supervised process: %w", err)
	}
	for fd := listenerFile; fd <= regionFile; fd++ {
		syscall.CloseOnExec(fd)
	}
	handed := os.NewFile(listenerFile, "listener")
	ln, err := net.FileListener(handed)
	if err != nil {
		return nil, fmt.Errorf("entering as a supervised process (%s is set): the listener: %w", childVariable, err)
	}
	_ = handed.Close()
	shared, err := mapRegion(os.NewFile(regionFile, "journal"))
	if err != nil {
		return nil, fmt.Errorf("entering as a supervised process: the journal: %w", err)
	}
	life := os.NewFile(lifeFile, "life")
	var told briefing
	if err := json.NewDecoder(life).Decode(&told); err != nil {
		return nil, fmt.Errorf("entering as a supervised process: the supervisor's briefing: %w", err)
	}
	go leaveWith(life)
	return &Child{Listener: ln, Journal: newSharedJournal(shared, told)}, nil
}

// leaveWith ends the process when the supervisor is gone: only it holds the
// other end of the pipe. Whoever keeps the port without a supervisor keeps the
// host from starting another one.
func leaveWith(life *os.File) {
	_, _ = io.Copy(io.Discard, life)
	os.Exit(1)
}

// mapRegion maps the journal's file, which stays mapped.
func mapRegion(f *os.File) (region, error) {
	mem, err := syscall.Mmap(int(f.Fd()), 0, regionSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mapping %s: %w", f.Name(), err)
	}
	return mem, nil
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
