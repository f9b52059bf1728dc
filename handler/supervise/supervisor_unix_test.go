//go:build unix

package supervise

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func TestKilledChildIsReplaced(t *testing.T) {
	t.Parallel()
	a := startApp(t, "ready", freePort(t))
	first, supervisor := a.pids()
	if supervisor != a.cmd.Process.Pid || first == supervisor {
		t.Fatalf("process %d with parent %d answers; want a child of %d", first, supervisor, a.cmd.Process.Pid)
	}
	for range 4 { // the host would give up at the third
		child, _ := a.pids()
		a.kill(child, syscall.SIGKILL)
		a.eventually("another child answers", func() bool {
			next, parent := a.pids()
			return next != child && parent == supervisor
		})
	}
}

func TestChildThatEndsWellIsReplaced(t *testing.T) {
	t.Parallel()
	a := startApp(t, "ready", freePort(t))
	first, _ := a.pids()
	a.get("/run?key=k&how=exit&code=0&say=done")
	a.eventually("another child answers", func() bool {
		next, _ := a.pids()
		return next != first
	})
}

func TestChildLeavesWithItsSupervisor(t *testing.T) {
	t.Parallel()
	a := startApp(t, "ready", freePort(t))
	child, supervisor := a.pids()
	a.kill(supervisor, syscall.SIGKILL)
	a.eventually("the child is gone", func() bool { return gone(child) })
	a.eventually("the port is free", func() bool { return portIsFree(a.port) })
}

func TestSupervisorLeavesWithItsHost(t *testing.T) {
	t.Parallel()
	// The shell is the host. It must stay, or it would become the supervisor.
	a := startCommand(t, exec.Command("sh", "-c", `"$0" & wait`, self(t)), "ready", freePort(t))
	child, supervisor := a.pids()
	if supervisor == a.cmd.Process.Pid {
		t.Fatal("the shell is the supervisor")
	}
	a.kill(a.cmd.Process.Pid, syscall.SIGKILL)
	a.eventually("the supervisor and its child are gone", func() bool { return gone(child) && portIsFree(a.port) })
}

func TestCodeThatEndsTheProcessIsBlamed(t *testing.T) {
	t.Parallel()
	a := startApp(t, "ready", freePort(t))
	a.pids()
	const bad = "/run?key=bad&how=exit&code=3&say=out+of+luck"
	var innocent sync.WaitGroup
	for i := range 20 {
		innocent.Go(func() {
			if status, body, _ := a.persist(fmt.Sprint("/run?key=good", i)); status != 200 {
				t.Errorf("an innocent neighbour got %d %s", status, body)
			}
		})
	}
	status, reason, tries := a.persist(bad)
	innocent.Wait()
	if status != 410 || tries != 3 {
		t.Errorf("the third try got %d, %q (tries: %d); want the process to end twice and then a blame", status, reason, tries)
	}
	if want := "exit code 3: out of luck; logged before"; reason != want {
		t.Errorf("the reason is %q, want %q: what the code wrote, and nothing of the library", reason, want)
	}
	child, _ := a.pids()
	if status, _, _ := a.persist(bad); status != 410 {
		t.Errorf("blamed code was run again: %d", status)
	}
	if again, _ := a.pids(); again != child {
		t.Error("the process ended again")
	}
}

func TestBlameOutlivesOtherDeathsUntilItIsSettled(t *testing.T) {
	t.Parallel()
	a := startApp(t, "ready", freePort(t))
	a.pids()
	if status, reason, _ := a.persist("/run?key=bad&how=panic"); status != 410 || !strings.Contains(reason, "exit code 2: panic: user code") {
		t.Fatalf("got %d %q, want a blame that names the panic", status, reason)
	}
	restart := func() {
		child, _ := a.pids()
		a.kill(child, syscall.SIGKILL)
		a.eventually("another child answers", func() bool {
			next, _ := a.pids()
			return next != child
		})
	}
	restart()
	if status, _, _ := a.persist("/run?key=bad"); status != 410 {
		t.Errorf("got %d after a foreign death, want 410", status)
	}
	a.persist("/settle?key=bad")
	restart()
	if status, _, _ := a.persist("/run?key=bad"); status != 200 {
		t.Errorf("got %d after the blame was settled and another death, want 200", status)
	}
}

// kills a request that hangs a number of times.
func (a *app) killWith(path string, times int) {
	a.t.Helper()
	for range times {
		child, _ := a.pids()
		a.begin(path)
		a.kill(child, syscall.SIGKILL)
		a.eventually("the child is gone", func() bool { return gone(child) })
	}
}

func TestReasonNamesTheSignal(t *testing.T) {
	t.Parallel()
	a := startApp(t, "ready", freePort(t))
	a.killWith("/run?key=bad&how=hang", 1+convictingKills)
	if status, reason, _ := a.persist("/run?key=bad"); status != 410 || reason != "signal killed" {
		t.Errorf("got %d %q, want a blame for the signal", status, reason)
	}
}

func TestOneSIGKILLOfARequestOnTrialProvesNothing(t *testing.T) {
	t.Parallel()
	a := startApp(t, "ready", freePort(t))
	a.killWith("/run?key=innocent&how=hang", convictingKills)
	if status, _, _ := a.persist("/run?key=innocent"); status != 200 {
		t.Errorf("got %d, want that it runs", status)
	}
}

// start has the app run the activity of an instance; the app may die of it.
func (a *app) start(instance, what string) {
	a.t.Helper()
	a.pids()
	a.get("/start?id=" + instance + "&" + what)
}

func TestActivityThatEndsTheProcessIsBlamedAndItsNeighboursAreNot(t *testing.T) {
	t.Parallel()
	a := startApp(t, "ready", freePort(t))
	flag := filepath.Join(t.TempDir(), "go")
	go a.start("slow", "how=wait&until="+flag)
	a.comesTo("slow", "begins serving")
	a.start("bad", "how=exit&code=3&say=out+of+luck")
	a.comesTo("bad", "blamed exit code 3: out of luck; logged before")
	if got := strings.Count(a.did("bad"), "begins serving"); got != 1 {
		t.Errorf("the code ran %d times beside others, want once: %s", got, a.did("bad"))
	}
	if got := strings.Count(a.did("bad"), "begins alone"); got != 1 {
		t.Errorf("the code ran %d times alone, want once: %s", got, a.did("bad"))
	}
	if err := os.WriteFile(flag, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	a.comesTo("slow", "ends")
	if strings.Contains(a.did("slow"), "blamed") {
		t.Errorf("the neighbour was blamed: %s", a.did("slow"))
	}
}

func TestServiceGoesOnWhileCodeIsTried(t *testing.T) {
	t.Parallel()
	a := startApp(t, "ready", freePort(t))
	flag := filepath.Join(t.TempDir(), "go")
	go a.start("slow", "how=wait&until="+flag)
	a.comesTo("slow", "begins serving")
	first, _ := a.pids()
	a.kill(first, syscall.SIGKILL)
	a.comesTo("slow", "begins alone")
	serving, parent := a.pids()
	if parent != a.cmd.Process.Pid || serving == first {
		t.Errorf("process %d with parent %d answers", serving, parent)
	}
	a.start("other", "")
	a.comesTo("other", "ends serving")
	if err := os.WriteFile(flag, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	a.comesTo("slow", "ends alone")
	a.start("slow", "")
	a.comesTo("slow", "ends serving") // it is above suspicion again
	if again, _ := a.pids(); again != serving {
		t.Error("the child that serves was replaced")
	}
}

func TestCodeThatKillsItselfIsFoundInTheEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("takes the back-off of two trials")
	}
	t.Parallel()
	a := startApp(t, "ready", freePort(t))
	a.start("bad", "how=kill")
	a.comesTo("bad", "blamed signal killed")
	if got := strings.Count(a.did("bad"), "begins alone"); got != convictingKills {
		t.Errorf("the code ran %d times alone, want %d: %s", got, convictingKills, a.did("bad"))
	}
}

func TestCodeThatKillsItsSupervisorIsFoundInTheEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("takes the back-off of two trials")
	}
	t.Parallel()
	// The shell is the host: it starts the supervisor again.
	a := startCommand(t, exec.Command("sh", "-c", `while :; do "$0"; done`, self(t)), "ready", freePort(t))
	a.start("bad", "how=killparent")
	a.comesTo("bad", "begins serving")
	a.start("bad", "how=killparent") // its message comes again
	_, supervisor := a.pids()
	a.comesTo("bad", "blamed")
	if got := strings.Count(a.did("bad"), "begins serving"); got != 1 {
		t.Errorf("the code ran %d times where it can end the supervisor, want once: %s", got, a.did("bad"))
	}
	if _, now := a.pids(); now != supervisor {
		t.Error("the supervisor was killed again")
	}
}

func TestCodeThatHasReturnedIsBlamedBeforeItIsStored(t *testing.T) {
	t.Parallel()
	a := startApp(t, "ready", freePort(t))
	a.start("bad", "after=1")
	a.comesTo("bad", "blamed exit code 6")
}

func TestMessagesOfADeadChildAreTakenOverAtOnce(t *testing.T) {
	t.Parallel()
	a := startApp(t, "ready", freePort(t))
	flag := filepath.Join(t.TempDir(), "go")
	for i := range 3 {
		go a.start(fmt.Sprint("i", i), "how=wait&until="+flag)
	}
	for i := range 3 {
		a.comesTo(fmt.Sprint("i", i), "begins serving")
	}
	child, _ := a.pids()
	a.kill(child, syscall.SIGKILL)
	_ = os.WriteFile(flag, nil, 0o600)
	for i := range 3 {
		a.comesTo(fmt.Sprint("i", i), "ends alone")
	}
}

func TestChildThatLeavesIsReplacedAndNothingIsSuspect(t *testing.T) {
	t.Parallel()
	a := startApp(t, "ready", freePort(t))
	flag := filepath.Join(t.TempDir(), "go")
	go a.start("slow", "how=wait&until="+flag)
	a.comesTo("slow", "begins serving")
	first, _ := a.pids()
	a.get("/leave")
	a.eventually("another child answers", func() bool {
		next, _ := a.pids()
		return next != first
	})
	_ = os.WriteFile(flag, nil, 0o600)
	a.comesTo("slow", "ends serving")
	if strings.Contains(a.did("slow"), "alone") {
		t.Errorf("it was suspect: %s", a.did("slow"))
	}
}

func TestProgramThatCannotRunTwiceGoesOn(t *testing.T) {
	t.Parallel()
	a := startApp(t, "never-tries", freePort(t))
	go a.start("slow", "how=wait&until="+filepath.Join(t.TempDir(), "never"))
	a.comesTo("slow", "begins serving")
	child, _ := a.pids()
	a.kill(child, syscall.SIGKILL)
	a.eventually("the trial fails", func() bool { return strings.Contains(a.log(), "suspect code cannot be tried") })
	a.start("other", "")
	a.comesTo("other", "ends serving")
}

func TestBindIsRetried(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	before, err := net.Listen("tcp4", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	a := startApp(t, "bind", port)
	a.eventually("the app has begun", func() bool { return strings.Contains(a.log(), "begins") })
	_ = before.Close()
	if pid, parent := a.pids(); parent != a.cmd.Process.Pid {
		t.Errorf("process %d with parent %d answers, want a child of %d", pid, parent, a.cmd.Process.Pid)
	}
	a.eventually("a supervisor and its child have begun", func() bool { return strings.Count(a.log(), "begins") == 2 })
}

func TestChildThatIsNeverReadyEndsTheSupervisor(t *testing.T) {
	t.Parallel()
	for how, want := range map[string]struct {
		code int
		line string
	}{
		"unready":      {7, "exit code 7: the setting X is missing"},
		"unready-zero": {1, "exit code 0"},
	} {
		t.Run(how, func(t *testing.T) {
			a := startApp(t, how, freePort(t))
			if code := a.exitCode(); code != want.code {
				t.Errorf("the supervisor ended with %d, want %d", code, want.code)
			}
			a.eventually("the last line says why", func() bool {
				lines := strings.Split(a.log(), "\n")
				return strings.Contains(lines[len(lines)-1], want.line)
			})
		})
	}
}

func TestSignalsStopBoth(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			a := startApp(t, "ready", freePort(t))
			child, supervisor := a.pids()
			a.kill(supervisor, sig)
			if code, want := a.exitCode(), 128+int(sig); code != want && code != 2 {
				t.Errorf("the supervisor ended with %d, want the child's code, %d", code, want)
			}
			if !gone(child) {
				t.Error("the child is still there")
			}
			if strings.Contains(a.log(), "started again") {
				t.Error("a stop that was asked for is taken for a crash")
			}
		})
	}
}

func TestSignalOfATerminalReachesTheChildOnce(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(self(t))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	a := startCommand(t, cmd, "counts", freePort(t))
	a.pids()
	a.kill(-cmd.Process.Pid, syscall.SIGINT)
	if code := a.exitCode(); code != 41 {
		t.Errorf("the child ended with %d, want 41 for one signal", code)
	}
}

func TestSupervisorCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	a := startApp(t, "ready", freePort(t), switchVariable+"=off")
	if pid, _ := a.pids(); pid != a.cmd.Process.Pid {
		t.Errorf("process %d answers, want the one that was started, %d", pid, a.cmd.Process.Pid)
	}
}

func TestDebuggerGetsTheProcessItStarted(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	debugger := filepath.Join(t.TempDir(), "dlv") // by its name alone
	if err := os.Symlink(shell, debugger); err != nil {
		t.Fatal(err)
	}
	a := startCommand(t, exec.Command(debugger, "-c", `"$0" & wait`, self(t)), "ready", freePort(t))
	if pid, parent := a.pids(); parent != a.cmd.Process.Pid {
		t.Errorf("process %d with parent %d answers, want a child of the debugger, %d", pid, parent, a.cmd.Process.Pid)
	}
}

func TestUnsupervisedProcessLeavesWithItsHost(t *testing.T) {
	t.Parallel()
	a := startCommand(t, exec.Command("sh", "-c", `"$0" & wait`, self(t)), "ready", freePort(t), switchVariable+"=off")
	pid, _ := a.pids()
	a.kill(a.cmd.Process.Pid, syscall.SIGKILL)
	a.eventually("the process is gone", func() bool { return gone(pid) })
}

func TestUserCodeSeesNothingOfTheSupervisor(t *testing.T) {
	t.Parallel()
	a := startApp(t, "ready", freePort(t))
	a.pids()
	if _, value := a.get("/env"); value != "" {
		t.Errorf("%s is %q in the app: programs that it starts would take themselves for its child", childVariable, value)
	}
	// What this test passes on itself, it got from the shell that runs it.
	ours, err := exec.Command("ls", "/dev/fd").Output()
	if err != nil {
		t.Skip("no /dev/fd here: ", err)
	}
	if _, files := a.get("/files"); files != string(ours) {
		t.Errorf("a program that the app starts inherits the files %q, want %q", strings.Fields(files), strings.Fields(string(ours)))
	}
}
