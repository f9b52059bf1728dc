package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// patience is how long a program may take to end after it was asked to.
const patience = 15 * time.Second

// needs are what a program that is supervised depends on; nil channels are not there.
type needs struct {
	// emulator is closed when the storage emulator has ended.
	emulator <-chan struct{}
	// built gets the program that is to take the place of this one.
	built <-chan string
}

// endedError means that a program has ended by itself.
type endedError struct{ error }

var errEmulatorEnded = errors.New("the storage emulator has ended")

// supervise runs a program until it ends, ctx ends, something that it needs does, or
// another one is to take its place: then there is no error, and next is that one.
// When it returns, the program and everything that it started have ended.
func supervise(ctx context.Context, cmd *exec.Cmd, n needs, out io.Writer) (next string, err error) {
	ownGroup(cmd)
	// Programs that outlive the one that we wait for hold its output open.
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("starting %s: %w", cmd.Path, err)
	}
	defer killGroup(cmd)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err == nil {
			err = errors.New("exit status 0")
		}
		return "", endedError{fmt.Errorf("%s has ended: %w", filepath.Base(cmd.Path), err)}
	case <-n.emulator:
		stopProgram(cmd, ended, out)
		return "", errEmulatorEnded
	case next := <-n.built:
		stopProgram(cmd, ended, out)
		return next, nil
	case <-ctx.Done():
		stopProgram(cmd, ended, out)
		return "", errStopped
	}
}

// silence is how long a program may take to end before we say that we wait for it.
const silence = time.Second

// stopProgram asks the program to end and, in the end, makes it.
func stopProgram(cmd *exec.Cmd, ended <-chan error, out io.Writer) {
	terminate(cmd)
	deadline := time.After(patience)
	say := time.After(silence)
	for {
		select {
		case <-ended: //nolint:errcheck // a program that was asked to end may say anything about it
			return
		case <-say:
			fmt.Fprintf(out, "Waiting for requests and activities that run to end, %v at most\n", patience)
		case <-deadline:
			killGroup(cmd)
		}
	}
}

// watchParent ends the program with "go run", which passes no SIGTERM on.
func watchParent(ctx context.Context, cancel context.CancelFunc) {
	self, err := os.Executable()
	if err != nil || !strings.Contains(self, "go-build") {
		return
	}
	parent := os.Getppid()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		if os.Getppid() != parent {
			cancel()
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}
