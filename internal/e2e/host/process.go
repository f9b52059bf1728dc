//go:build linux

package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process is one that runs the app's handler.
type Process struct {
	PID    int
	Parent int
}

// Processes are those that run the handler of this host's app, found in /proc.
// One that has ended and is not collected yet is none.
func (h *Host) Processes() []Process {
	var found []Process
	binary := filepath.Join(h.Dir, "bin", "handler")
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil || strings.TrimSuffix(target, " (deleted)") != binary {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(link)))
		if parent := parentOf(pid); parent != 0 {
			found = append(found, Process{PID: pid, Parent: parent})
		}
	}
	return found
}

// parentOf is the parent of a process; 0 when it has ended.
func parentOf(pid int) int {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name, in parentheses, may hold anything.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 2 || fields[0] == "Z" || fields[0] == "X" {
		return 0
	}
	parent, _ := strconv.Atoi(fields[1])
	return parent
}

// Pair waits until the process that the host started, the supervisor, has a
// child that does the work, and returns both.
func (h *Host) Pair() (supervisor, child int, err error) {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		processes := h.Processes()
		for _, p := range processes {
			for _, q := range processes {
				if q.Parent == p.PID {
					return p.PID, q.PID, nil
				}
			}
		}
	}
	return 0, 0, errors.New("the app has no supervisor with a child")
}

// FuncPID is the process of func.
func (h *Host) FuncPID() int { return h.cmd.Process.Pid }

// Kill ends func and the handler's processes with SIGKILL, all at once, and
// waits for them.
func (h *Host) Kill() error {
	h.KillAll()
	<-h.done
	return h.WaitGone(20 * time.Second)
}

// KillAll sends SIGKILL to func and the handler's processes.
func (h *Host) KillAll() {
	_ = h.cmd.Process.Kill()
	for _, p := range h.Processes() {
		_ = syscall.Kill(p.PID, syscall.SIGKILL)
	}
}
