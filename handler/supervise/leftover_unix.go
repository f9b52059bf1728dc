//go:build unix

package supervise

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// leftoverAge is how old a leftover may be. The host starts its handler again within
// seconds; what is older was left for a host that is gone, and its process id may be
// another host's by now: a container that is restarted gives the same ones again.
const leftoverAge = 2 * time.Minute

// leftover is what a child knows when its supervisor was killed and the host was
// not: the code that it runs may have done it. The next supervisor of the host
// reads it. Where the host is gone too, no code is suspect: that is how apps are
// stopped.
type leftover struct {
	Trial string
	Codes []leftCode
}

type leftCode struct {
	State state
	Code  Code
}

// leftoverPrefix begins the names of all files of this user, leftoverName those of what
// is left for a host, before the id of the process that has left it.
func leftoverPrefix() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("durable-suspects-%d-", os.Getuid()))
}

func leftoverName(host int) string { return fmt.Sprintf("%s%d-", leftoverPrefix(), host) }

// leaveBehind writes down what runs in a process whose supervisor is gone. It is
// the last that the process does, and fails in silence.
func leaveBehind(host int, trial string, shared region) {
	if host <= 1 || syscall.Kill(host, 0) != nil {
		return
	}
	l := leftover{Trial: trial}
	for _, r := range shared.records() {
		l.Codes = append(l.Codes, leftCode{State: r.state, Code: r.code})
	}
	raw, err := json.Marshal(l)
	if err != nil || len(l.Codes) == 0 {
		return
	}
	f, err := os.CreateTemp(os.TempDir(), "durable-suspects-*.tmp")
	if err != nil {
		return
	}
	_, err = f.Write(raw)
	if f.Close() != nil || err != nil || os.Rename(f.Name(), fmt.Sprint(leftoverName(host), os.Getpid())) != nil {
		_ = os.Remove(f.Name())
	}
}

// takeLeftovers reads and removes what the children of a supervisor left behind
// that the same host has started, and removes what is too old for any host.
func takeLeftovers(host int, now time.Time) (deaths []death) {
	files, _ := filepath.Glob(leftoverPrefix() + "*")
	for _, file := range files {
		info, err := os.Lstat(file)
		if err != nil || !info.Mode().IsRegular() || info.Sys().(*syscall.Stat_t).Uid != uint32(os.Getuid()) {
			continue
		}
		old := now.Sub(info.ModTime()) > leftoverAge
		if !old && !strings.HasPrefix(file, leftoverName(host)) {
			continue // it is for another host
		}
		raw, err := os.ReadFile(file)
		_ = os.Remove(file)
		if old {
			continue
		}
		var l leftover
		if err != nil || json.Unmarshal(raw, &l) != nil {
			continue
		}
		d := death{trial: l.Trial, killed: true, reason: "its supervisor was killed"}
		for _, c := range l.Codes {
			d.records = append(d.records, record{state: c.State, code: c.Code})
		}
		deaths = append(deaths, d)
	}
	return deaths
}
