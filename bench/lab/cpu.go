//go:build linux

package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// processes are groups of processes, by the name under which their CPU time is
// reported. Where other programs disturb a machine, CPU time is steadier than
// what the clock says.
type processes map[string][]int

// ticks is how many of the kernel's units of CPU time a millisecond has: it is
// 100 a second on every Linux.
const ticks = 0.1

// cpu is the CPU time of each group so far, in milliseconds.
func (p processes) cpu() figures {
	out := figures{}
	for name, pids := range p {
		for _, pid := range pids {
			out[name] += cpuOf(pid)
		}
	}
	return out
}

func cpuOf(pid int) float64 {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	return parseCPU(string(stat))
}

// parseCPU reads user and system time of a line of /proc/PID/stat, in
// milliseconds. The name, in parentheses, may hold anything.
func parseCPU(stat string) (ms float64) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0
	}
	for _, field := range fields[11:13] {
		n, _ := strconv.ParseFloat(field, 64)
		ms += n / ticks
	}
	return ms
}
