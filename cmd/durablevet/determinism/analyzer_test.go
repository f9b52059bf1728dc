package determinism_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/durable-go/functions/cmd/durablevet/determinism"
)

// withoutFacts leaves out facts that a package does not expect: those of package
// helpers are checked, and most others are beside the point of their package.
type withoutFacts struct{ t *testing.T }

func (w withoutFacts) Errorf(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !strings.Contains(text, "unexpected fact") || strings.Contains(text, "helpers.go") {
		w.t.Error(text)
	}
}

// testPackages are the packages of testdata: one for each rule, the ways into
// an orchestrator, comments that suppress findings, and what others import.
func testPackages(t *testing.T) (paths []string) {
	t.Helper()
	dirs, err := os.ReadDir("testdata/src/example.com")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		paths = append(paths, "example.com/"+dir.Name())
	}
	return paths
}

// TestRules runs the analyzer over the packages of testdata: each says in its
// comments what is found there, and its golden file what the fixes make of it.
func TestRules(t *testing.T) {
	analysistest.RunWithSuggestedFixes(withoutFacts{t}, analysistest.TestData(), determinism.New(), testPackages(t)...)
}

// TestFixesCompile builds the packages of testdata as the fixes leave them.
func TestFixesCompile(t *testing.T) {
	gopath := t.TempDir()
	if err := os.CopyFS(gopath, os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	goldens, err := filepath.Glob(filepath.Join(gopath, "src/example.com/*/*.golden"))
	if err != nil || len(goldens) == 0 {
		t.Fatalf("%d golden files: %v", len(goldens), err)
	}
	for _, golden := range goldens {
		if err := os.Rename(golden, strings.TrimSuffix(golden, ".golden")); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", append([]string{"build"}, testPackages(t)...)...)
	cmd.Env = append(os.Environ(), "GOPATH="+gopath, "GO111MODULE=off", "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
