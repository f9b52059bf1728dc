package determinism

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"
)

const docs = "../../../docs/"

// prelude is what the code of the pages may use.
const prelude = `package page

import "github.com/durable-go/functions/durable"

var charge = durable.NewActivity[string, string]("Charge", nil)
`

// importsOf are the packages that code of a page may use.
var importsOf = map[string]string{
	"context.": "context", "errors.": "errors", "fmt.": "fmt", "log.": "log", "slog.": "log/slog", "maps.": "maps", "os.": "os",
	"slices.": "slices", "time.": "time", "durable.": durablePath, "uuid.": "github.com/google/uuid",
}

var blocks = regexp.MustCompile("(?s)```go\n(.*?)```")

// source makes a file of the code of a page.
func source(pkg, code string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "package %s\n\nimport (\n", pkg)
	for use, path := range importsOf {
		if regexp.MustCompile(`\b` + regexp.QuoteMeta(use)).MatchString(code) {
			fmt.Fprintf(&b, "\t%q\n", path)
		}
	}
	b.WriteString(")\n\n" + code)
	return b.String()
}

// recorder keeps what analysistest says of code without comments on what is
// expected.
type recorder struct{ text strings.Builder }

func (r *recorder) Errorf(format string, args ...any) { fmt.Fprintf(&r.text, format+"\n", args...) }

// TestPages checks that each rule has a page, that the first code there breaks
// that rule alone, and that the second breaks none.
func TestPages(t *testing.T) {
	gopath := t.TempDir()
	if err := os.CopyFS(gopath, os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, r := range rules {
		text, err := os.ReadFile(docs + "vet/" + r.id + ".md")
		if err != nil {
			t.Error(err)
			continue
		}
		code := blocks.FindAllStringSubmatch(string(text), -1)
		if len(code) != 2 || !strings.HasPrefix(string(text), "# "+r.id+" "+r.name+"\n") {
			t.Errorf("%s.md has %d blocks of code, or another heading", r.id, len(code))
			continue
		}
		for i, name := range []string{"wrong", "right"} {
			pkg := "page"
			if r == ruleMain {
				pkg = "main"
			}
			path := "example.com/pages/" + strings.ToLower(r.id) + "/" + name
			write(t, filepath.Join(gopath, "src", path, "page.go"), source(pkg, code[i][1]))
			if strings.Contains(code[i][1], "charge.") {
				write(t, filepath.Join(gopath, "src", path, "prelude.go"), prelude)
			}
			want[path] = map[bool]string{true: r.id}[name == "wrong"]
		}
	}
	checkPages(t, gopath, want)
}

func checkPages(t *testing.T, gopath string, want map[string]string) {
	var paths []string
	for path := range want {
		paths = append(paths, path)
	}
	said := &recorder{}
	results := analysistest.Run(said, gopath, New(), paths...)
	if len(results) != len(want) {
		t.Fatalf("%d of %d packages: %s", len(results), len(want), said.text.String())
	}
	for _, result := range results {
		path := result.Action.Package.PkgPath
		if result.Err != nil || len(result.Action.Package.Errors) > 0 {
			t.Errorf("%s: %v %v", path, result.Err, result.Action.Package.Errors)
		}
		found := map[string]bool{}
		for _, d := range result.Action.Diagnostics {
			found[d.Category] = true
			if d.Category != want[path] {
				t.Errorf("%s: %s", path, d.Message)
			}
		}
		if want[path] != "" && !found[want[path]] {
			t.Errorf("%s does not break the rule", path)
		}
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestOverview checks that docs/vet.md lists all rules.
func TestOverview(t *testing.T) {
	text, err := os.ReadFile(docs + "vet.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		if row := fmt.Sprintf("| [%s](vet/%s.md) | `%s` |", r.id, r.id, r.name); !strings.Contains(string(text), row) {
			t.Errorf("docs/vet.md has no row %s", row)
		}
	}
}
