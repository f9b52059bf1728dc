// Package mutation plants faults in the source, one after the other, and finds out
// whether a test finds each. The source is not changed: the compiler is given other
// files in its place.
package mutation

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

// limit bounds the time of one fault: a test that hangs has found it.
const limit = 5 * time.Minute

// Mutation is a fault that is planted: in one file, by its path in the module, a text
// that stands there once is replaced.
type Mutation struct{ Name, File, Before, After string }

// Finder is the test that should find a fault.
type Finder struct {
	// Package is that of the test, by its path in the module.
	Package string
	// Args are those of its binary, Name what the table calls it.
	Args []string
	Name string
	// Played is what its output says before the number of what it plays next.
	Played string
}

// Planted is a fault with the test that should find it.
type Planted struct {
	Mutation
	Finder
}

// Main is the main function of a command that plants faults: it prints a table of what
// it took to find each, and ends with status 1 when a fault was not found, with 2 when
// one could not be planted. The flags of the command are -seeds, after how many seeds a
// fault counts as not found, and -only, a text that a fault's name must have.
func Main(seeds int, faults func(seeds int) []Planted) {
	flag.IntVar(&seeds, "seeds", seeds, "how many seeds are played before a fault counts as not found")
	only := flag.String("only", "", "plant only the faults whose names have this text")
	flag.Parse()
	missed := 0
	fmt.Print("| planted fault | file | found by | it took |\n|-|-|-|-|\n")
	for _, p := range faults(seeds) {
		if !strings.Contains(p.Mutation.Name, *only) {
			continue
		}
		found, err := p.print(context.Background())
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		if !found {
			missed++
		}
	}
	if missed > 0 {
		fmt.Fprintf(os.Stderr, "%d faults were not found\n", missed)
		os.Exit(1)
	}
}

// print plants the fault and prints a line of the table. It reports whether the fault
// was found; the error is that it could not be planted.
func (p Planted) print(ctx context.Context) (found bool, err error) {
	m, f := p.Mutation, p.Finder
	root, err := moduleRoot()
	if err != nil {
		return false, err
	}
	dir, err := os.MkdirTemp("", "durable-mutation-")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	at, err := m.find(ctx, root, dir, f)
	if err != nil {
		return false, fmt.Errorf("%s: %w", m.Name, err)
	}
	took := at
	if at == "" {
		took = "not found"
	}
	fmt.Printf("| %s | %s | %s | %s |\n", m.Name, m.File, f.Name, took)
	return at != "", nil
}

// moduleRoot is the directory of go.mod.
func moduleRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	return filepath.Dir(strings.TrimSpace(string(out))), err
}

// Check reports whether the fault can be planted in the module at the root.
func (m Mutation) Check(root string) error {
	_, err := m.mutated(root)
	return err
}

// mutated is the file with the fault.
func (m Mutation) mutated(root string) ([]byte, error) {
	source, err := os.ReadFile(filepath.Join(root, m.File))
	if err != nil {
		return nil, err
	}
	if n := strings.Count(string(source), m.Before); n != 1 {
		return nil, fmt.Errorf("%s has %q %d times, want once: the fault must be planted elsewhere", m.File, m.Before, n)
	}
	return []byte(strings.Replace(string(source), m.Before, m.After, 1)), nil
}

// find runs the test on the mutated source and returns what it had played last when it
// found the fault; empty: it did not.
func (m Mutation) find(ctx context.Context, root, dir string, f Finder) (string, error) {
	source, err := m.mutated(root)
	if err != nil {
		return "", err
	}
	file, overlay, binary := filepath.Join(dir, "mutated.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "finder.test")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(root, m.File): file}})
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.WriteFile(file, source, 0o600), os.WriteFile(overlay, replace, 0o600)); err != nil {
		return "", err
	}
	build := exec.CommandContext(ctx, "go", "test", "-overlay", overlay, "-c", "-o", binary, "./"+f.Package)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	out, err := exec.CommandContext(ctx, binary, f.Args...).CombinedOutput()
	if err == nil {
		return "", nil
	}
	return last(out, f.Played), nil
}

// last is the number of what was played last: that found the fault, whether it
// differed, hung, or made the engine panic.
func last(out []byte, played string) string {
	number := "0"
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		if s, ok := strings.CutPrefix(lines.Text(), played); ok {
			number = s
		}
	}
	return number
}
