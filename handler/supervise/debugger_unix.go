//go:build unix

package supervise

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// debugged reports whether this process was started by a debugger, which would
// see only the supervisor.
func debugged() bool {
	if runtime.GOOS == "linux" && traced() {
		return true
	}
	switch parentName() {
	case "dlv", "dlv-dap", "debugserver", "gdb", "gdbserver", "lldb-server", "__debug_bin":
		return true
	}
	return false
}

// traced reads the TracerPid of proc(5).
func traced() bool {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), "TracerPid:"); found {
			return strings.TrimSpace(value) != "0"
		}
	}
	return false
}

func parentName() string {
	parent := strconv.Itoa(os.Getppid())
	name, err := os.ReadFile("/proc/" + parent + "/comm")
	if err != nil && runtime.GOOS != "linux" {
		name, err = exec.Command("ps", "-o", "comm=", "-p", parent).Output()
	}
	if err != nil {
		return ""
	}
	return filepath.Base(strings.TrimSpace(string(name)))
}
