package internal_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/pagecode"
)

// otherModule are pages whose code needs another module than this one; the tests of that
// module check them.
var otherModule = []string{"../docs/telemetry.md"}

// The code of pages is part of samples and examples, which are compiled and tested, and
// then the page names the file and has it as it stands there; or it compiles.
func TestCodeOfPagesCompiles(t *testing.T) {
	packages, err := pagecode.Load("..", []string{"./Hello", "./HttpStart", "./Orchestrator", "./durable", "./durabletest"})
	if err != nil {
		t.Fatal(err)
	}
	seen, excerpts := 0, 0
	for _, page := range pages(t) {
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		blocks := pagecode.Blocks(page, string(raw))
		if n := strings.Count(string(raw), "```go\n"); n != len(blocks) {
			t.Errorf("%s has %d blocks of code, of which %d are read", page, n, len(blocks))
		}
		for _, b := range blocks {
			if seen++; b.From != "" {
				excerpts++
				checkExcerpt(t, b)
			}
		}
		if name := filepath.ToSlash(page); !slices.Contains(otherModule, name) {
			if err := packages.Check(blocks); err != nil {
				t.Error(err)
			}
		}
	}
	if seen < 30 || excerpts < 20 {
		t.Errorf("found only %d blocks, %d of them excerpts", seen, excerpts)
	}
}

// checkExcerpt checks that code stands in the file that the page names.
func checkExcerpt(t *testing.T, b pagecode.Block) {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(b.From)))
	if err != nil {
		t.Error(err)
	} else if !strings.Contains(unindented(string(source)), unindented(b.Code)) {
		t.Errorf("%s:%d: this is not in %s:\n%s", b.Page, b.Line, b.From, b.Code)
	}
}

var indentation = regexp.MustCompile(`(?m)^\t+`)

// unindented is code without the indentation of its lines.
func unindented(code string) string { return indentation.ReplaceAllString(code, "") }
