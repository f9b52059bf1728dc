// Command durablevet finds what breaks orchestrators before they run: code that
// does not do the same in a replay, tasks that nothing awaits, names and types
// that do not fit. See docs/vet.md.
//
// It is run on packages, or given to go vet:
//
//	durablevet [-json] [-fix] [-diff] [-RULE=false] [packages]
//	go vet -vettool=$(which durablevet) [-json] [-durablevet.RULE=false] [packages]
//
// Without packages it checks ./... . It exits with 0 when there is nothing to
// report, and not with 0 otherwise. -fix needs Go 1.26 or later.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/analysis/unitchecker"

	"github.com/durable-go/functions/cmd/durablevet/determinism"
)

func main() {
	args := os.Args[1:]
	if asked(args) {
		if skipped(args) {
			return
		}
		unitchecker.Main(determinism.Analyzer)
	}
	os.Exit(vet(args))
}

// asked reports whether go vet is the caller, or somebody wants help.
func asked(args []string) bool {
	return slices.ContainsFunc(args, func(a string) bool {
		return a == "help" || a == "-flags" || strings.HasPrefix(a, "-V=") || strings.HasSuffix(a, ".cfg")
	})
}

// unit is the part of go vet's description of a package that skipped reads.
type unit struct {
	ImportPath string
	Module     *struct{ Path string }
	ModulePath string
	Standard   map[string]bool
	VetxOnly   bool
	VetxOutput string
}

// skipped reports whether go vet asks only for the facts of a package that has
// none, as those of the standard library: the analyzer has a table of their
// members. They are most of the packages that go vet asks for, and not to load
// them makes it many times as fast. (From x/tools 0.51 on, files of facts have the types of
// their package, too: then it must be loaded.)
func skipped(args []string) bool {
	last := args[len(args)-1]
	if !strings.HasSuffix(last, ".cfg") {
		return false
	}
	text, err := os.ReadFile(last)
	var u unit
	if err != nil || json.Unmarshal(text, &u) != nil || !u.VetxOnly || u.VetxOutput == "" {
		return false
	}
	module := u.ModulePath
	if u.Module != nil {
		module = u.Module.Path
	}
	if !u.Standard[u.ImportPath] && !determinism.Tabled(u.ImportPath, module) {
		return false
	}
	return os.WriteFile(u.VetxOutput, nil, 0o666) == nil
}

// vet runs go vet with this program as its tool, and returns the exit code.
func vet(args []string) int {
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "durablevet: finding the program itself:", err)
		return 2
	}
	cmd := exec.Command("go", arguments(self, args)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = cmd.Run()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "durablevet: running go vet:", err)
		return 2
	}
	return 0
}

// scope tells runs over other packages apart.
func scope(args []string) string {
	h := fnv.New64a()
	dir, _ := os.Getwd() // without it runs in two folders may share a scope
	_, _ = fmt.Fprintf(h, "%q %q", dir, args)
	return strconv.FormatUint(h.Sum64(), 16)
}

// arguments are those of go vet: flags of the analyzer get its name before
// them, and no package means all of the folder.
func arguments(self string, args []string) []string {
	all := []string{"vet", "-vettool=" + self, "-" + determinism.Name + "." + determinism.ScopeFlag + "=" + scope(args)}
	packages := false
	for _, a := range args {
		name, _, _ := strings.Cut(strings.TrimLeft(a, "-"), "=")
		switch {
		case !strings.HasPrefix(a, "-"):
			packages = true
		case determinism.Analyzer.Flags.Lookup(name) != nil:
			a = "-" + determinism.Name + "." + strings.TrimLeft(a, "-")
		}
		all = append(all, a)
	}
	if !packages {
		all = append(all, "./...")
	}
	return all
}
