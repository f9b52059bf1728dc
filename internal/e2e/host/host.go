//go:build linux

// Package host runs an app on the real Functions host, for end-to-end tests. A
// copy of the app is made in a directory of its own, because the host restarts
// at changes there, with its handler built from a main package of this module.
package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
)

// ErrNoFunc means that there is no Azure Functions Core Tools to run the host
// with.
var ErrNoFunc = errors.New("func (Azure Functions Core Tools) was not found: set DURABLE_FUNC to its path or put it on PATH")

// readyWithin ends a test whose host does not come up. The real host takes some
// seconds; a loaded machine many more.
const readyWithin = 2 * time.Minute

// Options say what runs where.
type Options struct {
	// App is the folder of a whole app, which runs in place of the lab: its functions,
	// its host.json and its main package. Default: the lab.
	App string
	// Main is the package of the handler, from the root of the module or of the app. Default ".",
	// the lab.
	Main string
	// Folders are directories, from the module's root, whose function folders
	// are added to the lab's.
	Folders []string
	// Storage is AzureWebJobsStorage. Required.
	Storage string
	// Hub is the task hub's name. Required.
	Hub string
	// Settings are further members of extensions.durableTask in host.json.
	Settings map[string]any
	// Env are further environment variables, as NAME=VALUE.
	Env []string
	// Build are further arguments of go build, Args of func start.
	Build, Args []string
}

// Host is a Functions host with its handler. Its methods are for one goroutine,
// but for those of Client.
type Host struct {
	// Dir is the app's directory.
	Dir string
	// URL is the host's address, without a slash at its end.
	URL string
	// Options are those of Start.
	Options Options

	port int
	fn   string
	cmd  *exec.Cmd
	done chan struct{} // closed when func has ended
	log  *os.File
}

// Path finds func: DURABLE_FUNC, else the one on PATH.
func Path() (string, error) {
	if path := os.Getenv("DURABLE_FUNC"); path != "" {
		return filepath.Abs(path)
	}
	path, err := exec.LookPath("func")
	if err != nil {
		return "", ErrNoFunc
	}
	return path, nil
}

// Run is Start for a test, which ends the host and shows its log where the test
// failed. Without func the test is skipped, or fails where tools are required.
func Run(t testing.TB, o Options) *Host {
	t.Helper()
	NeedFunc(t)
	h, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	h.LogTo(t)
	t.Cleanup(func() {
		if secret := secrets.FindString(h.Log()); secret != "" {
			t.Errorf("the log of host and handler has a secret: %.40s...", secret)
		}
	})
	return h
}

// secrets are the key of the storage emulator, parts of connection strings, and
// the signatures of links.
var secrets = regexp.MustCompile(`Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq|AccountKey=[A-Za-z0-9+/]{8}|(?i:sig)=[0-9a-z]{8}\.[A-Za-z0-9_-]{20}`)

// NeedFunc skips a test, or fails it where tools are required, without func.
func NeedFunc(t testing.TB) string {
	t.Helper()
	path, err := Path()
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil && azuritetest.Required() {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip(err)
	}
	return path
}

// Start makes the app's copy and starts the host on it. It returns when the
// handler answers. Close ends everything and removes the copy.
func Start(o Options) (*Host, error) {
	fn, err := Path()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(azuritetest.TempRoot(), "durable-e2e-")
	if err != nil {
		return nil, err
	}
	h := &Host{Dir: dir, Options: o, fn: fn}
	if h.log, err = os.CreateTemp(azuritetest.TempRoot(), "durable-e2e-log-"); err != nil {
		return nil, err
	}
	if err := errors.Join(h.makeApp(), h.pickPort()); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	if err := h.Start(); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

func (h *Host) pickPort() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	h.port = l.Addr().(*net.TCPAddr).Port
	h.URL = fmt.Sprintf("http://127.0.0.1:%d", h.port)
	return l.Close()
}

// Start starts func on the app; after Kill, for the second time. It returns
// when the handler answers.
func (h *Host) Start() error {
	if err := h.Launch(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	return h.WaitReady(ctx)
}

// Launch starts func and does not wait.
func (h *Host) Launch() error {
	h.cmd = exec.Command(h.fn, append([]string{"start", "--port", fmt.Sprint(h.port)}, h.Options.Args...)...)
	h.cmd.Dir = h.Dir
	h.cmd.Env = append(os.Environ(), "AzureWebJobsStorage="+h.Options.Storage, "TaskHub="+h.Options.Hub)
	h.cmd.Env = append(h.cmd.Env, h.Options.Env...)
	h.cmd.Stdout, h.cmd.Stderr = h.log, h.log
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := h.cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", h.fn, err)
	}
	done, cmd := make(chan struct{}), h.cmd
	h.done = done
	go func() {
		defer close(done)
		_ = cmd.Wait()
	}()
	return nil
}

// WaitReady returns when the handler answers through the host.
func (h *Host) WaitReady(ctx context.Context) error {
	for {
		if h.answers(ctx) {
			return nil
		}
		select {
		case <-h.done:
			return fmt.Errorf("func ended at start:\n%s", h.Log())
		case <-ctx.Done():
			return fmt.Errorf("the handler does not answer through the host: %w\n%s", ctx.Err(), h.Log())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// answers asks through a door that needs no key. The host itself answers 404
// until it has loaded the functions, the handler 503 until it has its task hub,
// and then 401, because the link has no signature.
func (h *Host) answers(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL+"/api/durabletask-links/instances/ready", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusUnauthorized
}

// Alive reports whether func runs.
func (h *Host) Alive() bool {
	select {
	case <-h.done:
		return false
	default:
		return true
	}
}

// Log is what func and the handler have printed so far.
func (h *Host) Log() string {
	text, _ := os.ReadFile(h.log.Name())
	return string(text)
}

// LogTo shows the log's part that a test has caused, when that test fails.
func (h *Host) LogTo(t testing.TB) {
	before := len(h.Log())
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of the host:\n%s", h.Log()[before:])
		}
	})
}

// Stop ends func in good order and waits until the handler has gone too. The
// error says what is left.
func (h *Host) Stop() error {
	if h.cmd == nil {
		return nil
	}
	_ = h.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-h.done:
	case <-time.After(30 * time.Second):
		h.KillAll()
		return errors.New("func did not end within 30 seconds of SIGTERM")
	}
	return h.WaitGone(20 * time.Second)
}

// WaitGone waits until no process of the app is left.
func (h *Host) WaitGone(bound time.Duration) error {
	for deadline := time.Now().Add(bound); ; time.Sleep(20 * time.Millisecond) {
		left := h.Processes()
		if len(left) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			h.KillAll()
			return fmt.Errorf("processes of the app are left: %v", left)
		}
	}
}

// Close ends everything and removes the app's copy.
func (h *Host) Close() error {
	err := h.Stop()
	_ = h.log.Close()
	return errors.Join(err, os.RemoveAll(h.Dir), os.Remove(h.log.Name()))
}
