//go:build unix

// Package funchost runs apps on the real Functions host, for tests and
// benchmarks.
package funchost

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Options say what to run.
type Options struct {
	// Func is the host's command; see Find.
	Func string
	// Dir is the app's folder, with bin/handler in it.
	Dir string
	// Env is added to the environment.
	Env []string
	// Args are added to "func start".
	Args []string
	// Port of the host; 0 picks a free one.
	Port int
}

// Host is a running Functions host.
type Host struct {
	Port int
	Dir  string

	cmd  *exec.Cmd
	done chan struct{} // closed when func has ended

	mu  sync.Mutex // guards log
	log bytes.Buffer
}

// Find returns the host's command: the setting DURABLE_FUNC, or func on PATH.
func Find() (string, error) {
	if path := os.Getenv("DURABLE_FUNC"); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("DURABLE_FUNC: %w", err)
		}
		return path, nil
	}
	return exec.LookPath("func")
}

// Start runs the host and waits until it serves the app.
func Start(ctx context.Context, o Options) (*Host, error) {
	h := &Host{Port: o.Port, Dir: o.Dir, done: make(chan struct{})}
	if h.Port == 0 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		h.Port = l.Addr().(*net.TCPAddr).Port
		_ = l.Close()
	}
	h.cmd = exec.Command(o.Func, append([]string{"start", "--port", fmt.Sprint(h.Port)}, o.Args...)...)
	h.cmd.Dir = o.Dir
	h.cmd.Env = append(os.Environ(), o.Env...)
	h.cmd.Stdout, h.cmd.Stderr = h, h
	h.cmd.WaitDelay = 5 * time.Second
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := h.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting func: %w", err)
	}
	go func() {
		defer close(h.done)
		_ = h.cmd.Wait()
	}()
	if err := h.wait(ctx); err != nil {
		h.Kill()
		return nil, fmt.Errorf("%w\n%s", err, h.Log())
	}
	return h, nil
}

// Write keeps the output of the host.
func (h *Host) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.Write(p)
}

// Log is everything that the host and the handler have printed.
func (h *Host) Log() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.String()
}

// wait polls until the management API answers.
func (h *Host) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-h.done:
			return errors.New("func ended at start")
		case <-ctx.Done():
			return errors.New("the host does not serve the app")
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL("/api/durabletask/instances/none"), nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusNotFound && strings.Contains(h.Log(), "Worker process started") || resp.StatusCode == http.StatusUnauthorized {
			return nil
		}
	}
}

// URL is the address of a path of the app.
func (h *Host) URL(path string) string { return fmt.Sprintf("http://127.0.0.1:%d%s", h.Port, path) }

// Done is closed when func has ended.
func (h *Host) Done() <-chan struct{} { return h.done }

// Stop asks the host to end, as Ctrl-C does, and waits until the handler has
// gone too.
func (h *Host) Stop() {
	_ = h.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-h.done:
	case <-time.After(20 * time.Second):
		_ = h.cmd.Process.Kill()
		<-h.done
	}
	h.killHandlers()
}

// Kill ends the host and all processes of the handler at once.
func (h *Host) Kill() {
	_ = h.cmd.Process.Kill()
	h.killHandlers()
	<-h.done
	h.killHandlers()
}

func (h *Host) killHandlers() {
	for _, p := range h.Handlers() {
		_ = syscall.Kill(p.PID, syscall.SIGKILL)
	}
}

// Process is a process of the handler.
type Process struct{ PID, Parent int }

// Handlers lists the processes that run the app's handler.
func (h *Host) Handlers() []Process {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	want := filepath.Join(h.Dir, "bin", "handler")
	var out []Process
	for _, dir := range dirs {
		exe, err := os.Readlink(filepath.Join(dir, "exe"))
		if err != nil || strings.TrimSuffix(exe, " (deleted)") != want {
			continue
		}
		var p Process
		status, _ := os.ReadFile(filepath.Join(dir, "status"))
		for line := range strings.Lines(string(status)) {
			_, _ = fmt.Sscanf(line, "Pid: %d", &p.PID)
			_, _ = fmt.Sscanf(line, "PPid: %d", &p.Parent)
		}
		out = append(out, p)
	}
	return out
}

// Supervisor and Child are the two processes of the handler; 0 for one that is
// not there.
func (h *Host) Supervisor() int {
	all := h.Handlers()
	for _, p := range all {
		if !hasPID(all, p.Parent) {
			return p.PID
		}
	}
	return 0
}

// Child is the process that does the work.
func (h *Host) Child() int {
	all := h.Handlers()
	for _, p := range all {
		if hasPID(all, p.Parent) {
			return p.PID
		}
	}
	return 0
}

func hasPID(all []Process, pid int) bool {
	for _, p := range all {
		if p.PID == pid {
			return true
		}
	}
	return false
}
