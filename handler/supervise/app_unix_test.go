//go:build unix

package supervise

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// appVariable makes the test binary the app under test: its value says how the
// app starts.
const appVariable = "SUPERVISE_TEST_APP"

func TestMain(m *testing.M) {
	if how := os.Getenv(appVariable); how != "" {
		runApp(how)
		return
	}
	os.Exit(m.Run())
}

// runApp is a handler whose user code does what its requests ask for.
func runApp(how string) {
	if how == "bind" {
		fmt.Fprintln(os.Stderr, "begins")
	}
	c := Enter(Options{Port: os.Getenv("FUNCTIONS_CUSTOMHANDLER_PORT")})
	log.SetFlags(0)
	switch how {
	case "unready":
		log.Print("the setting X is missing")
		os.Exit(7)
	case "unready-zero":
		os.Exit(0)
	}
	c.Ready()
	if how == "counts" {
		go countSignals()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/pids", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, os.Getpid(), " ", os.Getppid()) })
	mux.HandleFunc("/env", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, os.Getenv(childVariable)) })
	mux.HandleFunc("/files", func(w http.ResponseWriter, _ *http.Request) {
		out, _ := exec.Command("ls", "/dev/fd").Output()
		_, _ = w.Write(out)
	})
	mux.HandleFunc("/settle", func(_ http.ResponseWriter, r *http.Request) { c.Journal.Settle(r.FormValue("key")) })
	mux.HandleFunc("/run", func(w http.ResponseWriter, r *http.Request) { userCode(c.Journal, w, r) })
	log.Fatal(http.Serve(c.Listener, mux))
}

// countSignals ends the process with the number of signals that come together.
func countSignals() {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT)
	n := 0
	for settle := (<-chan time.Time)(nil); ; {
		select {
		case <-signals:
			n++
			settle = time.After(300 * time.Millisecond)
		case <-settle:
			os.Exit(40 + n)
		}
	}
}

// userCode runs under a key, and ends the process when it is asked to.
func userCode(j *Journal, w http.ResponseWriter, r *http.Request) {
	leave, err := j.Enter(r.Context(), r.FormValue("key"), 0)
	var blamed *BlamedError
	if errors.As(err, &blamed) {
		w.WriteHeader(http.StatusGone)
		_, _ = fmt.Fprint(w, blamed.Reason)
		return
	}
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	defer leave()
	switch r.FormValue("how") {
	case "exit":
		code, _ := strconv.Atoi(r.FormValue("code"))
		log.Print(r.FormValue("say"))
		os.Exit(code)
	case "panic":
		go panic("user code")
		select {}
	case "hang":
		_ = http.NewResponseController(w).Flush() // the caller sees that it runs
		<-r.Context().Done()
	}
}

// hangPatience only ends tests that hang.
const hangPatience = 60 * time.Second

// app is an app under test, seen as its host sees it.
type app struct {
	t    *testing.T
	port string
	cmd  *exec.Cmd
	dead chan struct{} // closed when the process that was started is gone

	mu     sync.Mutex
	stderr []string
}

func freePort(t *testing.T) string {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	return strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
}

func startApp(t *testing.T, how, port string, env ...string) *app {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return startCommand(t, exec.Command(self), how, port, env...)
}

func startCommand(t *testing.T, cmd *exec.Cmd, how, port string, env ...string) *app {
	t.Helper()
	a := &app{t: t, port: port, cmd: cmd, dead: make(chan struct{})}
	cmd.Env = append(append(os.Environ(), appVariable+"="+how, "FUNCTIONS_CUSTOMHANDLER_PORT="+port), env...)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = write.Close()
	read2 := make(chan struct{})
	go func() {
		defer close(read2)
		for lines := bufio.NewScanner(read); lines.Scan(); {
			a.mu.Lock()
			a.stderr = append(a.stderr, lines.Text())
			a.mu.Unlock()
		}
	}()
	go func() {
		_ = cmd.Wait()
		close(a.dead)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-a.dead
		a.eventually("everything that was started is gone", func() bool { return portIsFree(port) })
		_ = read.Close()
		<-read2
		if t.Failed() {
			t.Log("stderr:\n" + a.log())
		}
	})
	return a
}

func (a *app) log() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.stderr, "\n")
}

func portIsFree(port string) bool {
	ln, err := net.Listen("tcp4", "127.0.0.1:"+port)
	if err == nil {
		_ = ln.Close()
	}
	return err == nil
}

// eventually polls, because what it waits for happens in other processes.
func (a *app) eventually(what string, f func() bool) {
	a.t.Helper()
	for deadline := time.Now().Add(hangPatience); !f(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			a.t.Errorf("does not come to pass: %s", what)
			return
		}
	}
}

// get sends one request on a connection of its own; status is 0 when nobody
// answers.
func (a *app) get(path string) (status int, body string) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: hangPatience}
	resp, err := client.Get("http://127.0.0.1:" + a.port + path)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, ""
	}
	return resp.StatusCode, string(raw)
}

// begin returns when the code that a request runs has begun.
func (a *app) begin(path string) {
	a.t.Helper()
	resp, err := http.Get("http://127.0.0.1:" + a.port + path)
	if err != nil {
		a.t.Error(err)
		return
	}
	a.t.Cleanup(func() { _ = resp.Body.Close() })
}

// pids waits for an answer: the process that works, and its parent.
func (a *app) pids() (child, parent int) {
	a.t.Helper()
	a.eventually("the app answers", func() bool {
		_, body := a.get("/pids")
		n, _ := fmt.Sscan(body, &child, &parent)
		return n == 2
	})
	return child, parent
}

// persist sends a request as the host does: until somebody answers.
func (a *app) persist(path string) (status int, body string, tries int) {
	a.t.Helper()
	a.eventually("an answer to "+path, func() bool {
		tries++
		status, body = a.get(path)
		return status != 0
	})
	return status, body, tries
}

func (a *app) kill(pid int, sig syscall.Signal) {
	a.t.Helper()
	if err := syscall.Kill(pid, sig); err != nil {
		a.t.Errorf("kill %d: %v", pid, err)
	}
}

// exitCode waits for the process that was started.
func (a *app) exitCode() int {
	a.t.Helper()
	select {
	case <-a.dead:
		return a.cmd.ProcessState.ExitCode()
	case <-time.After(hangPatience):
		a.t.Fatal("the supervisor does not end")
		return 0
	}
}

// gone tells whether a process has ended, even if nobody has asked how: in a
// container the first process may leave its orphans like that.
func gone(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}

// self is the name of the test binary, for shells.
func self(t *testing.T) string {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Clean(path)
}
