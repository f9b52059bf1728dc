//go:build unix

package supervise

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// A leftover is read once, by the host that it was left for, and soon.
func TestLeftoversAreForOneHostAndForAWhile(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	host, other := os.Getppid(), os.Getpid()
	leave := func(host int) {
		shared := make(region, regionSize)
		shared.put(1, running, Code{Kind: Activity, Instance: "i" + strconv.Itoa(host)})
		leaveBehind(host, "", shared)
	}
	leave(host)
	leave(other)
	now := time.Now()
	deaths := takeLeftovers(host, now)
	if len(deaths) != 1 || len(deaths[0].records) != 1 || deaths[0].records[0].code.Instance != "i"+strconv.Itoa(host) {
		t.Errorf("got %v, want the one of host %d", deaths, host)
	}
	if again := takeLeftovers(host, now); len(again) != 0 {
		t.Errorf("it was read twice: %v", again)
	}
	if late := takeLeftovers(other, now.Add(leftoverAge+time.Minute)); len(late) != 0 {
		t.Errorf("what was left long ago was read: %v", late)
	}
	if files, _ := filepath.Glob(filepath.Join(os.TempDir(), "durable-suspects-*")); len(files) != 0 {
		t.Errorf("files are left: %q", files)
	}
}
