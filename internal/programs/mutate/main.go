// Command mutate plants faults in the engine, one after the other, and prints
// how many random programs it takes to find each:
//
//	go run ./internal/programs/mutate [-seeds 1000] [-only TEXT]
//
// The source is not changed: the compiler is given other files in its place. It
// ends with status 1 when a fault is not found.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// limit bounds the time of one fault: a program that hangs is a find.
const limit = 5 * time.Minute

func main() {
	seeds := flag.Int("seeds", 1000, "how many seeds are played before a fault counts as not found")
	only := flag.String("only", "", "plant only the faults whose names have this text")
	flag.Parse()
	missed, err := run(context.Background(), *seeds, *only)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if missed > 0 {
		fmt.Fprintf(os.Stderr, "%d faults were not found\n", missed)
		os.Exit(1)
	}
}

// run plants the faults and prints a table of what found them.
func run(ctx context.Context, seeds int, only string) (missed int, err error) {
	root, err := moduleRoot()
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "durable-mutate-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	fmt.Print("| planted fault | file | found by | programs it took |\n|-|-|-|-|\n")
	for _, m := range mutations {
		if !strings.Contains(m.name, only) {
			continue
		}
		found, err := m.find(ctx, root, dir, seeds)
		if err != nil {
			return missed, fmt.Errorf("%s: %w", m.name, err)
		}
		if found == "" {
			found = fmt.Sprintf("not by %d", seeds)
			missed++
		}
		fmt.Printf("| %s | %s | %s | %s |\n", m.name, m.file, m.kind, found)
	}
	return missed, nil
}

// moduleRoot is the directory of go.mod.
func moduleRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	return filepath.Dir(strings.TrimSpace(string(out))), err
}

// mutated is the file with the fault. The text that is replaced must be there
// exactly once.
func (m mutation) mutated(root string) ([]byte, error) {
	source, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return nil, err
	}
	if n := strings.Count(string(source), m.before); n != 1 {
		return nil, fmt.Errorf("%s has %q %d times, want once: the fault must be planted elsewhere", m.file, m.before, n)
	}
	return []byte(strings.Replace(string(source), m.before, m.after, 1)), nil
}

// find plays programs on the mutated engine, and says how many it took to find
// the fault; empty: it was not found.
func (m mutation) find(ctx context.Context, root, dir string, seeds int) (string, error) {
	source, err := m.mutated(root)
	if err != nil {
		return "", err
	}
	file, overlay, binary := filepath.Join(dir, "mutated.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "programs.test")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(root, m.file): file}})
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.WriteFile(file, source, 0o600), os.WriteFile(overlay, replace, 0o600)); err != nil {
		return "", err
	}
	build := exec.CommandContext(ctx, "go", "test", "-overlay", overlay, "-c", "-o", binary, "./internal/programs")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	play := exec.CommandContext(ctx, binary, "-test.run", "^TestPrograms$", "-programs.trace", "-programs.shrink", "0",
		"-programs.kinds", m.kind, "-programs.seeds", fmt.Sprint(seeds))
	out, err := play.CombinedOutput()
	if err == nil {
		return "", nil
	}
	return lastSeed(out, m.kind), nil
}

// lastSeed is the last one that was played: that found the fault, whether it
// differed, hung, or made the engine panic.
func lastSeed(out []byte, kind string) string {
	seed := "0"
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		if s, ok := strings.CutPrefix(lines.Text(), "play "+kind+" "); ok {
			seed = s
		}
	}
	return seed
}
