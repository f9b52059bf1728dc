package scaffold_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/scaffold"
)

// root is the checkout that generated apps use.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// generate writes an app into a new folder and returns that.
func generate(t *testing.T, template string) string {
	t.Helper()
	sums, err := os.ReadFile(filepath.Join(root(t), "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	o := scaffold.Options{Template: template, Module: "example.com/shop", Hub: "ShopHub", Replace: root(t), Sums: sums}
	if template == scaffold.Empty {
		o.CI, o.Infra = "github", true
	}
	files, err := scaffold.App(o)
	if err != nil {
		t.Fatal(err)
	}
	// The folder is the same in each run, so that the build cache knows what is in it.
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("durable-scaffold-%x", sha256.Sum256([]byte(root(t))))[:40], template)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := scaffold.Write(dir, files); err != nil {
		t.Fatal(err)
	}
	return dir
}

// add adds a function to the app in a folder.
func add(t *testing.T, dir string, f scaffold.Function) {
	t.Helper()
	importPath, err := scaffold.ImportPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	a, err := scaffold.Add(os.DirFS(dir), importPath, f)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Apply(dir); err != nil {
		t.Fatal(err)
	}
}

// must runs a command in an app, without the network.
func must(t *testing.T, dir, name string, arguments ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, arguments...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOWORK=off", "GOFLAGS="+os.Getenv("GOFLAGS")+" -mod=mod")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(arguments, " "), err, out)
	}
}

// vettool builds the analyzer; "" where what it needs is not on this machine.
func vettool(t *testing.T) string {
	t.Helper()
	tool := filepath.Join(t.TempDir(), "durablevet")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", tool, ".")
	build.Dir = filepath.Join(root(t), "cmd", "durablevet")
	build.Env = append(os.Environ(), "GOPROXY=off")
	out, err := build.CombinedOutput()
	if err == nil {
		return tool
	}
	if os.Getenv("DURABLE_REQUIRE_TOOLS") != "" {
		t.Fatalf("building durablevet: %v\n%s", err, out)
	}
	t.Logf("apps are not checked with durablevet, which cannot be built without a network: %s", out)
	return ""
}

// everyFunction is a function of each kind, and one of each trigger.
func everyFunction() []scaffold.Function {
	functions := []scaffold.Function{
		{Kind: scaffold.Orchestrator, Name: "MakeTea"}, {Kind: scaffold.Activity, Name: "BoilWater"},
		{Kind: scaffold.Entity, Name: "TeaPot"}, {Kind: scaffold.HTTP, Name: "StartTea"},
	}
	for _, kind := range scaffold.BindingKinds() {
		functions = append(functions, scaffold.Function{Kind: scaffold.Trigger, Name: "On" + strings.ToUpper(kind[:1]) + kind[1:], Binding: kind})
	}
	return functions
}

// Every template passes its tests, those with crashes included, and is tidy. With a
// function of each kind added it passes "go vet". These functions are the same in each
// app, so their tests and durablevet, which looks at the samples as well, run in one.
// The empty app has what a pipeline needs, the command durable as a tool among it.
// Nothing needs the network.
func TestTemplates(t *testing.T) {
	for _, template := range scaffold.Templates() {
		t.Run(template.Name, func(t *testing.T) {
			dir := generate(t, template.Name)
			must(t, dir, "go", "mod", "tidy")
			if template.Name != "hello" {
				must(t, dir, "go", "test", "./...")
			}
			for _, f := range everyFunction() {
				add(t, dir, f)
			}
			must(t, dir, "go", "vet", "./...")
			if template.Name == "hello" {
				must(t, dir, "go", "test", "./...")
				if tool := vettool(t); tool != "" {
					must(t, dir, tool, "./...")
				}
			}
			if template.Name == scaffold.Empty { // which has a pipeline
				must(t, dir, "go", "run", "github.com/durable-go/functions/cmd/durable", "version")
			}
			must(t, dir, "go", "mod", "tidy", "-diff")
			if out, err := exec.CommandContext(t.Context(), "gofmt", "-l", dir).CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("gofmt: %v %s", err, out)
			}
		})
	}
}
