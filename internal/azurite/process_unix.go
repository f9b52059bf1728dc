//go:build unix

package azurite

import (
	"os/exec"
	"syscall"
)

// prepare puts the emulator into a process group of its own: a Ctrl-C in the
// terminal is for the one who started it, who stops it in good order.
func prepare(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
