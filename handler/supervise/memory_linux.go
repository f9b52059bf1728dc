package supervise

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// outOfMemory counts the processes that the system has killed because memory was
// short: those of this machine (/proc/vmstat), and those of this control group
// (memory.events of version 2, memory.oom_control of version 1), whichever can be
// read. Only a change of the count means something.
func outOfMemory() (n uint64) {
	n = counter("/proc/vmstat", "oom_kill")
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return n
	}
	for line := range strings.Lines(string(groups)) {
		// hierarchy:controllers:path
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) < 3 {
			continue
		}
		switch {
		case parts[1] == "":
			n += first(filepath.Join("/sys/fs/cgroup", parts[2], "memory.events"), "/sys/fs/cgroup/memory.events")
		case strings.Contains(","+parts[1]+",", ",memory,"):
			n += first(filepath.Join("/sys/fs/cgroup/memory", parts[2], "memory.oom_control"), "/sys/fs/cgroup/memory/memory.oom_control")
		}
	}
	return n
}

// first is the counter of the first file that exists: a container sees its group
// at the root.
func first(files ...string) uint64 {
	for _, file := range files {
		if _, err := os.Stat(file); err == nil {
			return counter(file, "oom_kill")
		}
	}
	return 0
}

// counter reads "name value" from a file of such lines.
func counter(file, name string) uint64 {
	raw, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			n, _ := strconv.ParseUint(strings.TrimSpace(value), 10, 64)
			return n
		}
	}
	return 0
}
