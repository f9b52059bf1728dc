//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// floor is a program without an engine that sends the same storage requests: a
// chain of commits, the activities being no work at all. What it takes is what
// this machine's storage allows.
type floor struct {
	dir, binary string
}

// buildFloor copies the program's source and builds it. An empty source is no
// floor.
func buildFloor(ctx context.Context, source string) (*floor, error) {
	if source == "" {
		return nil, nil
	}
	if _, err := os.Stat(filepath.Join(source, "chain", "main.go")); err != nil {
		return nil, fmt.Errorf("no floor drivers in %s: %w", source, err)
	}
	dir, err := os.MkdirTemp("", "durable-floor-")
	if err != nil {
		return nil, err
	}
	f := &floor{dir: dir, binary: filepath.Join(dir, "chain.bin")}
	if err := os.CopyFS(filepath.Join(dir, "src"), os.DirFS(source)); err != nil {
		return nil, errors.Join(err, f.remove())
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", f.binary, "./chain")
	cmd.Dir = filepath.Join(dir, "src")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("building the floor drivers: %w\n%s", err, out), f.remove())
	}
	return f, nil
}

func (f *floor) remove() error { return os.RemoveAll(f.dir) }

// measure runs the program in the shapes of the lab's measurements. warm runs
// some chains first that are not counted.
func (f *floor) measure(ctx context.Context, e *emulator, s sizes) (figures, error) {
	out := figures{}
	for _, m := range []struct {
		metric    string
		arguments []string
	}{
		{"", []string{"-n", fmt.Sprint(s.warm), "-window", "4"}},
		{metricChain, []string{"-n", fmt.Sprint(s.chains)}},
		{metricRate, []string{"-n", fmt.Sprint(s.rate), "-window", fmt.Sprint(inFlight)}},
		{metricFan100, []string{"-n", fmt.Sprint(s.fans), "-fan", "100"}},
		{metricFan1000, []string{"-n", fmt.Sprint(s.fans), "-fan", "1000"}},
	} {
		rate, p50, err := f.run(ctx, e, m.arguments)
		if err != nil {
			return nil, err
		}
		switch m.metric {
		case "":
		case metricRate:
			out[m.metric] = rate
		default:
			out[m.metric] = p50
		}
	}
	return out, nil
}

// run is one run of the program in design X with a cache: commits first, the
// activities in the process that holds the start message.
func (f *floor) run(ctx context.Context, e *emulator, arguments []string) (rate, p50 float64, err error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	fixed := []string{"-port", fmt.Sprint(e.base), "-pids", e.pids(), "-q", "-design", "X", "-cache"}
	out, err := exec.CommandContext(ctx, f.binary, append(fixed, arguments...)...).CombinedOutput()
	if err != nil {
		return 0, 0, fmt.Errorf("floor driver %v: %w\n%s", arguments, err, out)
	}
	return parseFloor(string(out))
}

var floorLine = regexp.MustCompile(`([\d.]+) inst/s .*\| p50 ([\d.]+) ms`)

// parseFloor reads the line that the program prints.
func parseFloor(text string) (rate, p50 float64, err error) {
	match := floorLine.FindStringSubmatch(text)
	if match == nil {
		return 0, 0, fmt.Errorf("the floor driver printed no figures: %s", text)
	}
	rate, err = strconv.ParseFloat(match[1], 64)
	if err != nil {
		return 0, 0, err
	}
	p50, err = strconv.ParseFloat(match[2], 64)
	return rate, p50, err
}
