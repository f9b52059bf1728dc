package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// tool is the built command.
var tool string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "durablevet")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		tool = filepath.Join(dir, "durablevet.exe")
		if out, err := exec.Command("go", "build", "-o", tool, ".").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// run runs a program in a folder; failed reports that it did not exit with 0.
func run(t *testing.T, dir, program string, args ...string) (stdout, stderr string, failed bool) {
	t.Helper()
	cmd := exec.Command(program, args...)
	var out, problems bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &problems
	err := cmd.Run()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), problems.String(), err != nil
}

// deliberate are files of this module whose programs break rules on purpose:
// tests of what the engine says then.
var deliberate = map[string]string{
	"durable/goroutine_test.go":         "calls of the Context from other goroutines",
	"durable/model_test.go":             "each mistake that the engine reports",
	"durable/nondeterminism_test.go":    "a loop without an end",
	"durable/parked_test.go":            "code that blocks",
	"durabletest/determinism_test.go":   "code that is not the same in a replay",
	"durabletest/example_rules_test.go": "code that is not the same in a replay",
	"durabletest/hang_test.go":          "code that blocks",
}

// legal are the tests of packages durable and durabletest whose programs are
// correct. Their other tests may break rules, as those do that are deliberate.
var legal = regexp.MustCompile(`^durable(test)?/((example_\w+|activity|again|badday|bench|client|codec|continued|control|crash\w*|env|failures|heartbeat|http|hub|limit|lost|` +
	`oneway|order|overtaken|poison|process|property\w*|queues|replace|replay|rewind|rewound|scenario|serializer|starts|undone|updated|version|wait)_test|[a-z]+)\.go$`)

// mayBreak reports whether findings in a file are no mistake of the tool.
func mayBreak(file string) bool {
	inTests := strings.HasPrefix(file, "durable/") || strings.HasPrefix(file, "durabletest/")
	return deliberate[file] != "" || inTests && !legal.MatchString(file)
}

var position = regexp.MustCompile(`(?m)^(?:vet: )?(\S+\.go):\d+:\d+: DUR\d+`)

// TestModule runs the tool over the product's module: the lab, the samples, the
// conformance app, the examples and the tests of correct programs have no
// findings, and programs that are not deterministic have some.
func TestModule(t *testing.T) {
	_, problems, _ := run(t, "../..", tool, "./...")
	found := map[string]bool{}
	for _, m := range position.FindAllStringSubmatch(problems, -1) {
		file := filepath.ToSlash(m[1])
		if !mayBreak(file) && !found[file] {
			t.Errorf("findings in %s; where they are deliberate, write durable:ignore comments there", file)
		}
		found[file] = true
	}
	for _, file := range slices.Sorted(maps.Keys(deliberate)) {
		if !found[file] {
			t.Errorf("nothing was found in %s, which has %s", file, deliberate[file])
		}
	}
	if t.Failed() {
		t.Log(problems)
	}
}

// shop makes a module that uses the product and another module, and returns its
// folder.
func shop(t *testing.T) string {
	t.Helper()
	return module(t, "shop", "example.com/lib")
}

// module makes a module of a folder of testdata that uses the product and the modules in
// its folder, and returns where it is.
func module(t *testing.T, name string, uses ...string) string {
	t.Helper()
	dir := t.TempDir()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile("../../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", name))); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("module example.com/%s\n\ngo 1.25.0\n\nrequire github.com/durable-go/functions v0.0.0\n\nreplace github.com/durable-go/functions => %s\n", name, filepath.ToSlash(root))
	files := map[string]string{"go.sum": string(sums)}
	for _, used := range uses {
		text += fmt.Sprintf("\nrequire %s v1.0.0\n\nreplace %[1]s => ./%[2]s\n", used, path.Base(used))
		files[path.Base(used)+"/go.mod"] = fmt.Sprintf("module %s\n\ngo 1.25.0\n", used)
	}
	files["go.mod"] = text
	for file, text := range files {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, problems, failed := run(t, dir, "go", "mod", "tidy"); failed {
		t.Fatal(problems)
	}
	return dir
}

// ids are the rules of what was found, in their order.
func ids(text string) string {
	all := regexp.MustCompile(`DUR\d\d\d`).FindAllString(text, -1)
	slices.Sort(all)
	return strings.Join(all, " ")
}

// TestCommand runs the tool as users do. Of the other module only what changes a
// result is followed: its clock, not its log and its lock.
func TestCommand(t *testing.T) {
	dir := shop(t)
	for name, c := range map[string]struct {
		program string
		args    []string
		want    string
	}{
		"by itself":              {tool, nil, "DUR001 DUR001 DUR002"},
		"of a package":           {tool, []string{"./flows"}, "DUR001 DUR001 DUR002"},
		"of another":             {tool, []string{"."}, ""},
		"as a tool of go vet":    {"go", []string{"vet", "-vettool=" + tool, "./..."}, "DUR001 DUR001 DUR002"},
		"without a rule":         {tool, []string{"-clock=false"}, "DUR002"},
		"without a rule, go vet": {"go", []string{"vet", "-vettool=" + tool, "-durablevet.random=false", "./..."}, "DUR001 DUR001"},
		"with trust":             {tool, []string{"-trust=example.com/lib/..."}, "DUR001 DUR002"},
	} {
		_, problems, failed := run(t, dir, c.program, c.args...)
		if got := ids(problems); got != c.want || failed != (c.want != "") {
			t.Errorf("%s: found %q, failed %v\n%s", name, got, failed, problems)
		}
	}
}

// TestJSON checks what editors and pipelines read.
func TestJSON(t *testing.T) {
	out, problems, _ := run(t, shop(t), tool, "-json")
	out = strings.Join(strings.FieldsFunc(out, func(r rune) bool { return r == '\n' }), "\n")
	var found []string
	decoder := json.NewDecoder(strings.NewReader(jsonOf(out + problems)))
	for decoder.More() {
		var packages map[string]map[string][]struct{ Category, Posn, Message string }
		if err := decoder.Decode(&packages); err != nil {
			t.Fatalf("%v in\n%s%s", err, out, problems)
		}
		for _, analyzers := range packages {
			for _, d := range analyzers["durablevet"] {
				found = append(found, d.Category)
			}
		}
	}
	slices.Sort(found)
	if !slices.Equal(found, []string{"DUR001", "DUR001", "DUR002"}) {
		t.Errorf("found %q in\n%s%s", found, out, problems)
	}
}

// jsonOf leaves out the lines with the names of packages.
func jsonOf(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// TestFix applies the fixes, after which the code still compiles and less is
// found.
func TestFix(t *testing.T) {
	dir := shop(t)
	if _, problems, failed := run(t, dir, tool, "-fix"); failed {
		if strings.Contains(problems, "flag provided but not defined") {
			t.Skip("go vet -fix needs Go 1.26")
		}
		t.Fatal(problems)
	}
	if _, problems, failed := run(t, dir, "go", "build", "./..."); failed {
		t.Errorf("the fixed code does not compile: %s", problems)
	}
	if _, problems, _ := run(t, dir, tool); ids(problems) != "DUR001" {
		t.Errorf("after the fixes: %s", problems)
	}
}
