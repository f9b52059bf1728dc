//go:build unix

package supervise

import (
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// guard is the parent of a process in which an instance is tried, in a process of
// its own: code that ends its parent ends this one, and not the supervisor. It
// starts the process with what it was handed itself, passes signals on, and
// returns the code to exit with, as a shell would.
func guard(log *slog.Logger) int {
	self, err := os.Executable()
	if err != nil {
		log.Error("finding the executable: " + err.Error())
		return 1
	}
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), childVariable+"="+roleTrial)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	for fd := lifeFile; fd <= errorFile; fd++ {
		cmd.ExtraFiles = append(cmd.ExtraFiles, os.NewFile(uintptr(fd), "handed down"))
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	if err := cmd.Start(); err != nil {
		log.Error("starting " + self + ": " + err.Error())
		return 1
	}
	go func() {
		for sig := range signals {
			_ = cmd.Process.Signal(sig)
		}
	}()
	_ = cmd.Wait()
	return exitCode(cmd.ProcessState)
}

// signalCode is added to the number of a signal that ended a process.
const signalCode = 128

// exitCode is the exit code that a shell would report.
func exitCode(p *os.ProcessState) int {
	if status, ok := p.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return signalCode + int(status.Signal())
	}
	return p.ExitCode()
}
