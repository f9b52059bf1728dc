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
	if want := "exit code 3: "; !strings.HasPrefix(reason, want) || !strings.HasSuffix(reason, "out of luck") {
		t.Errorf("the reason is %q, want %q and the last line", reason, want)
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

func TestReasonNamesTheSignal(t *testing.T) {
	t.Parallel()
	a := startApp(t, "ready", freePort(t))
	for range 2 {
		child, _ := a.pids()
		a.begin("/run?key=bad&how=hang")
		a.kill(child, syscall.SIGKILL)
		a.eventually("the child is gone", func() bool { return gone(child) })
	}
	if status, reason, _ := a.persist("/run?key=bad"); status != 410 || reason != "signal killed" {
		t.Errorf("got %d %q, want a blame for the signal", status, reason)
	}
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
