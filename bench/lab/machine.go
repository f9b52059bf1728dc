//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/durable-go/functions/internal/azurite"
	"github.com/durable-go/functions/internal/e2e/host"
)

// environment is where figures come from: they mean nothing without it.
type environment struct {
	Machine string `json:"machine"`
	Load    string `json:"loadBefore"`
	Go      string `json:"go"`
	Node    string `json:"node"`
	Azurite string `json:"azurite"`
	Func    string `json:"func"`
	Commit  string `json:"commit"`
}

func describe() environment {
	load, _ := os.ReadFile("/proc/loadavg")
	e := environment{
		Machine: fmt.Sprintf("%s, %d cores, %s/%s", cpu(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH),
		Load:    strings.Join(strings.Fields(string(load))[:min(3, len(strings.Fields(string(load))))], " "),
		Go:      runtime.Version(),
		Node:    output("node", "--version"),
		Azurite: azurite.Version + ", a process each for blobs, queues and tables",
		Commit:  output("git", "rev-parse", "--short", "HEAD"),
	}
	if path, err := host.Path(); err == nil {
		e.Func = output(path, "--version")
	}
	return e
}

func cpu() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

// output is the last line that a command prints, or why there is none.
func output(name string, arguments ...string) string {
	out, err := exec.Command(name, arguments...).Output()
	if err != nil {
		return fmt.Sprintf("unknown (%v)", err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
