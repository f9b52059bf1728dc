//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/durable-go/functions/internal/azurite"
)

// emulator is Azurite with a process for each service, as the floor is measured
// on it: each service is one thread, and queues and tables work side by side.
type emulator struct {
	// base is the port of blobs; queues and tables have the next two.
	base int
	dir  string
	all  []*exec.Cmd
}

// startEmulator begins with empty storage, in memory where the machine has a
// file system there. Stop ends it.
func startEmulator(ctx context.Context, script string) (*emulator, error) {
	base, err := threePorts()
	if err != nil {
		return nil, err
	}
	e := &emulator{base: base}
	if e.dir, err = os.MkdirTemp(tempRoot(), "durable-bench-"); err != nil {
		return nil, err
	}
	for i, service := range []string{"blob", "queue", "table"} {
		main := filepath.Join(filepath.Dir(script), service, "main.js")
		cmd := exec.CommandContext(ctx, "node", main, "--silent", "--skipApiVersionCheck", "--disableTelemetry",
			"--location", e.dir, "--"+service+"Port", fmt.Sprint(base+i))
		cmd.Dir = e.dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			e.stop()
			return nil, fmt.Errorf("starting azurite: %w", err)
		}
		e.all = append(e.all, cmd)
	}
	return e, e.wait(ctx)
}

func (e *emulator) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for !azurite.Answers(e.base) || !azurite.Answers(e.base+1) || !azurite.Answers(e.base+2) {
		select {
		case <-ctx.Done():
			e.stop()
			return fmt.Errorf("azurite does not answer on ports %d to %d: %w", e.base, e.base+2, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

func (e *emulator) stop() {
	for _, cmd := range e.all {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	_ = os.RemoveAll(e.dir)
}

func (e *emulator) pidList() (pids []int) {
	for _, cmd := range e.all {
		pids = append(pids, cmd.Process.Pid)
	}
	return pids
}

// pids are those of the queue and the table service.
func (e *emulator) pids() string {
	return fmt.Sprintf("%d,%d", e.all[1].Process.Pid, e.all[2].Process.Pid)
}

func (e *emulator) connectionString() string {
	return (&azurite.Server{Blob: e.base, Queue: e.base + 1, Table: e.base + 2}).ConnectionString()
}

// threePorts finds three free ports in a row.
func threePorts() (int, error) {
	for range 100 {
		first, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return 0, err
		}
		base := first.Addr().(*net.TCPAddr).Port
		_ = first.Close()
		if !azurite.Answers(base+1) && !azurite.Answers(base+2) && base < 65000 {
			return base, nil
		}
	}
	return 0, errors.New("no three free ports in a row were found")
}

func tempRoot() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}
