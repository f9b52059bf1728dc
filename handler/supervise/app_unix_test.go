//go:build unix

package supervise

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
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

// traceVariable names the file in which the app writes down what it does.
const traceVariable = "SUPERVISE_TEST_TRACE"

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
	a := &appCode{Child: c, trace: os.Getenv(traceVariable)}
	if c.Trial && how == "never-tries" {
		os.Exit(9)
	}
	go a.takeOver()
	c.Ready()
	if how == "counts" {
		signals := make(chan os.Signal, 8)
		signal.Notify(signals, syscall.SIGINT)
		go countSignals(signals)
	}
	if c.Trial {
		select {}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/pids", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, os.Getpid(), " ", os.Getppid()) })
	mux.HandleFunc("/env", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, os.Getenv(childVariable)) })
	mux.HandleFunc("/files", func(w http.ResponseWriter, _ *http.Request) {
		out, _ := exec.Command("ls", "/dev/fd").Output()
		_, _ = w.Write(out)
	})
	mux.HandleFunc("/settle", func(_ http.ResponseWriter, r *http.Request) {
		c.Journal.Settle(Code{Kind: Request, Execution: r.FormValue("key")})
	})
	mux.HandleFunc("/leave", func(http.ResponseWriter, *http.Request) {
		c.Journal.Leave("a test")
		time.Sleep(100 * time.Millisecond) // for what is said to be read
		os.Exit(5)
	})
	mux.HandleFunc("/run", func(w http.ResponseWriter, r *http.Request) { a.request(w, r) })
	mux.HandleFunc("/start", func(_ http.ResponseWriter, r *http.Request) {
		a.message(Message{Queue: "q", ID: r.FormValue("id"), Body: []byte(r.URL.RawQuery), Until: time.Now().Add(hangPatience)})
	})
	log.Fatal(http.Serve(c.Listener, mux))
}

// countSignals ends the process with the number of signals that come together.
func countSignals(signals <-chan os.Signal) {
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

// appCode is the code of the app under test.
type appCode struct {
	*Child
	trace string // the file that it writes down what it does in
}

func (a *appCode) note(parts ...any) {
	f, err := os.OpenFile(a.trace, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	_, _ = fmt.Fprintln(f, parts...)
}

func (a *appCode) takeOver() {
	for {
		messages, err := a.Journal.Takeover(context.Background())
		if err != nil {
			return
		}
		for _, m := range messages {
			go a.message(m)
		}
	}
}

// message does what the body of a message says, as the activity of an instance
// of the message's id.
func (a *appCode) message(m Message) {
	role := map[bool]string{true: "alone", false: "serving"}[a.Trial]
	if a.Journal.Quarantined(m.ID) {
		a.note(m.ID, "diverted")
		a.Journal.Divert(m.ID, m)
		return
	}
	a.Journal.Hold(m)
	code := Code{Kind: Activity, Instance: m.ID, Execution: "x"}
	run, err := a.Journal.Begin(context.Background(), code, 99)
	if blamed := new(BlamedError); errors.As(err, &blamed) {
		a.note(m.ID, "blamed", blamed.Reason)
		a.Journal.Settle(code)
		a.Journal.LetGo(m.ID)
		return
	}
	a.note(m.ID, "begins", role)
	query, _ := url.ParseQuery(string(m.Body))
	misbehave(a.Child, query)
	run.Return(false)
	a.note(m.ID, "ends", role)
	if query.Get("after") != "" {
		os.Exit(6)
	}
	a.Journal.Stored(code)
	a.Journal.LetGo(m.ID)
}

// request runs under a key, and ends the process when it is asked to.
func (a *appCode) request(w http.ResponseWriter, r *http.Request) {
	leave, err := a.Journal.Enter(r.Context(), r.FormValue("key"), 0)
	if blamed := new(BlamedError); errors.As(err, &blamed) {
		w.WriteHeader(http.StatusGone)
		_, _ = fmt.Fprint(w, blamed.Reason)
		return
	}
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	defer leave()
	if r.FormValue("how") == "hang" {
		_ = http.NewResponseController(w).Flush() // the caller sees that it runs
		<-r.Context().Done()
		return
	}
	misbehave(a.Child, r.Form)
}

// misbehave does what user code must not do.
func misbehave(c *Child, what url.Values) {
	switch what.Get("how") {
	case "exit":
		code, _ := strconv.Atoi(what.Get("code"))
		_, _ = fmt.Fprintln(c.Stderr, "a record of the library")
		c.Say("logged before")
		log.Print(what.Get("say"))
		os.Exit(code)
	case "panic":
		go panic("user code")
		select {}
	case "kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "killparent":
		_ = syscall.Kill(os.Getppid(), syscall.SIGKILL)
		select {}
	case "wait":
		for _, err := os.Stat(what.Get("until")); err != nil; _, err = os.Stat(what.Get("until")) {
			time.Sleep(10 * time.Millisecond)
		}
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
	// trace is the file in which the app writes down what it does.
	trace string

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
	a := &app{t: t, port: port, cmd: cmd, dead: make(chan struct{}), trace: filepath.Join(t.TempDir(), "trace")}
	// The test binary is the host of all apps, and what a killed supervisor's child
	// leaves behind is for the host's next one: a folder for each keeps them apart.
	cmd.Env = append(append(os.Environ(), appVariable+"="+how, "FUNCTIONS_CUSTOMHANDLER_PORT="+port, traceVariable+"="+a.trace,
		"TMPDIR="+t.TempDir()), env...)
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
			t.Logf("stderr:\n%s\ntrace:\n%s", a.log(), a.did(""))
		}
	})
	return a
}

func (a *app) log() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.stderr, "\n")
}

// did is what the app has done for an instance, or for all of them: a line each.
func (a *app) did(instance string) string {
	raw, _ := os.ReadFile(a.trace)
	var lines []string
	for line := range strings.Lines(string(raw)) {
		if rest, found := strings.CutPrefix(line, instance+" "); found {
			lines = append(lines, strings.TrimSpace(rest))
		} else if instance == "" {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return strings.Join(lines, "; ")
}

// comesTo waits until the app has done something for an instance.
func (a *app) comesTo(instance, want string) {
	a.t.Helper()
	a.eventually(instance+": "+want, func() bool { return strings.Contains(a.did(instance), want) })
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

// gone reports whether a process has ended, even if its parent has not asked how: in a
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
