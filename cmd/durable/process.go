package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// patience is how long a program may take to end after it was asked to.
const patience = 15 * time.Second

// supervise runs a program until it ends, ctx ends, or something that it needs
// does. When it returns, the program and everything that it started have ended.
func supervise(ctx context.Context, cmd *exec.Cmd, needed <-chan struct{}) error {
	ownGroup(cmd)
	// Programs that outlive the one that we wait for hold its output open.
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", cmd.Path, err)
	}
	defer killGroup(cmd)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err == nil {
			err = errors.New("exit status 0")
		}
		return fmt.Errorf("%s has ended: %w", filepath.Base(cmd.Path), err)
	case <-needed:
		stopProgram(cmd, ended)
		return errors.New("the storage emulator has ended")
	case <-ctx.Done():
		stopProgram(cmd, ended)
		return errStopped
	}
}

// stopProgram asks the program to end and, in the end, makes it.
func stopProgram(cmd *exec.Cmd, ended <-chan error) {
	terminate(cmd)
	stop := time.AfterFunc(patience, func() { killGroup(cmd) })
	defer stop.Stop()
	<-ended //nolint:errcheck // a program that was asked to end may say anything about it
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
