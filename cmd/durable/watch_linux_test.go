package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// waits is a program that says a word and runs until it is asked to end.
const waits = `package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	fmt.Println("WORD")
	<-end
}
`

// An app that is watched is built and started anew when its files have changed; what
// does not compile leaves it running, and one that has ended waits for a change.
func TestWatch(t *testing.T) {
	dir := ill(t, map[string]string{"go.mod": "module waits\n\ngo 1.25\n", "main.go": strings.Replace(waits, "WORD", "number zero", 1)})
	printed := &output{}
	built := fingerprint(dir)
	handler, err := buildApp(t.Context(), dir, printed)
	if err != nil {
		t.Fatalf("%v\n%s", err, printed)
	}
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// A change between the build and the start is not in the program.
	write(strings.Replace(waits, "WORD", "number one", 1))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- superviseWatched(ctx, func() *exec.Cmd {
			cmd := exec.Command(handler)
			cmd.Stdout, cmd.Stderr = printed, printed
			return cmd
		}, nil, snapshot{dir, built}, handler, printed)
	}()
	until := func(text string) {
		t.Helper()
		for !strings.Contains(printed.String(), text) {
			select {
			case err := <-ended:
				t.Fatalf("ended with %v before %q:\n%s", err, text, printed)
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	until("number one")
	write(strings.Replace(waits, "WORD", "second", 1))
	until("second")
	write("package main\n\nfunc main() { undefined() }\n")
	until("the app goes on as it was")
	if !strings.Contains(printed.String(), "undefined: undefined") {
		t.Errorf("the mistake is not shown:\n%s", printed)
	}
	write("package main\n\nimport \"os\"\n\nfunc main() { os.Exit(7) }\n")
	until("has ended: exit status 7; it is started anew when its files have changed")
	write(strings.Replace(waits, "WORD", "third", 1))
	until("third")
	cancel()
	if err := <-ended; !errors.Is(err, errStopped) {
		t.Errorf("ended with %v", err)
	}
}

// Changes of what does not matter start nothing.
func TestFingerprint(t *testing.T) {
	dir := ill(t, map[string]string{"main.go": "1", "Work/function.json": "1", "main_test.go": "1", "notes.md": "1", "bin/x.go": "1", ".git/x.go": "1", "node_modules/host.json": "1"})
	before := fingerprint(dir)
	for name, changes := range map[string]bool{
		"main.go": true, "Work/function.json": true, "Work/work.go": true, "host.json": true, "local.settings.json": true,
		"main_test.go": false, "notes.md": false, "bin/x.go": false, ".git/x.go": false, "node_modules/host.json": false,
	} {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte("other"), 0o600); err != nil {
			t.Fatal(err)
		}
		after := fingerprint(dir)
		if (after != before) != changes {
			t.Errorf("%s: changed is %v, want %v", name, after != before, changes)
		}
		before = after
	}
	if fingerprint(filepath.Join(dir, "nowhere")) == before {
		t.Error("a folder that is not there is like one that is")
	}
}

// What takes long to end is waited for, and we say so.
func TestSlowEndIsTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	printed := &output{}
	cmd := exec.Command("sh", "-c", "trap 'sleep 1.2; exit 0' TERM; echo up; while :; do sleep 0.05; done")
	cmd.Stdout = printed
	ended := make(chan error, 1)
	go func() {
		_, err := supervise(ctx, cmd, needs{}, printed)
		ended <- err
	}()
	for !strings.Contains(printed.String(), "up") {
		time.Sleep(5 * time.Millisecond) //nolint:forbidigo // a program says nothing else when it is up
	}
	cancel()
	if err := <-ended; !errors.Is(err, errStopped) || !strings.Contains(printed.String(), "Waiting for requests and activities") {
		t.Errorf("%v\n%s", err, printed)
	}
}
