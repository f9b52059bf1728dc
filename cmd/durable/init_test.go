package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// command runs the tool and returns its exit code and what it printed.
func command(t *testing.T, args ...string) (code int, out, problems string) {
	t.Helper()
	var o, p strings.Builder
	code = run(t.Context(), args, &o, &p)
	return code, o.String(), p.String()
}

// From an empty folder to an app of its own, with a function added, whose code is that
// of this checkout. The network is not used.
func TestInitAndNew(t *testing.T) {
	page, err := os.ReadFile("../../docs/quickstart.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOWORK", "off")
	t.Chdir(t.TempDir())
	code, out, problems := command(t, "init", "My Shop", "--template", "order")
	if code != 0 || !strings.Contains(out, "cd My Shop") {
		t.Fatalf("%d %s%s", code, out, problems)
	}
	t.Chdir("My Shop")
	wantIn(t, "go.mod", "module my-shop\n", "replace github.com/durable-go/functions => ")
	wantIn(t, "host.json", `"hubName": "MyShopHub"`)
	for _, arguments := range [][]string{
		{"orchestrator", "ReturnOrder"}, {"activity", "InspectParcel"}, {"entity", "Customer"}, {"http", "StartReturn"},
		{"trigger", "EveryNight", "--kind", "timer"}, {"activity", "SendInvoice"},
	} {
		if code, out, problems := command(t, append([]string{"new"}, arguments...)...); code != 0 || !strings.Contains(out, "changed main.go") {
			t.Fatalf("new %q: %d %s%s", arguments, code, out, problems)
		}
	}
	wantIn(t, "main.go", `returnorder "my-shop/ReturnOrder"`, "app.Register(processorder.Orchestrator)", "returnorder.Orchestrator",
		`app.HandleHTTP("StartReturn", startreturn.Handler(app.Client()))`, `durable.HandleTrigger(app, "EveryNight", everynight.Handler(app.Client()))`)
	wantIn(t, "EveryNight/function.json", `"timerTrigger"`)
	followQuickstart(t, page)
	if out, err := exec.CommandContext(t.Context(), "go", "vet", "./...").CombinedOutput(); err != nil {
		t.Errorf("go vet: %v\n%s", err, out)
	}
}

// followQuickstart adds the call of the new activity as docs/quickstart.md has it.
func followQuickstart(t *testing.T, page []byte) {
	t.Helper()
	_, call, _ := strings.Cut(string(page), "```go\n")
	call, _, _ = strings.Cut(call, "```")
	const file, last = "ProcessOrder/processorder.go", "\treturn Confirmation{Cents"
	raw, err := os.ReadFile(file)
	if err != nil || strings.Count(string(raw), last) != 1 || !strings.Contains(call, "sendinvoice.Activity") {
		t.Fatalf("%v: docs/quickstart.md has\n%s", err, call)
	}
	code := strings.Replace(string(raw), last, call+last, 1)
	code = strings.Replace(code, "import (\n", "import (\n\tsendinvoice \"my-shop/SendInvoice\"\n", 1)
	if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
}

// wantIn checks that a file has the texts.
func wantIn(t *testing.T, file string, texts ...string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		if !strings.Contains(string(raw), text) {
			t.Errorf("%s has no %s:\n%s", file, text, raw)
		}
	}
}

// A relative folder of a checkout stays one in go.mod.
func TestInitReplace(t *testing.T) {
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOWORK", "off")
	checkout, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(checkout, filepath.Join(dir, "functions")); err != nil {
		t.Skipf("no symbolic link can be made here: %v", err)
	}
	t.Chdir(dir)
	if code, out, problems := command(t, "init", "shop", "--template", "empty", "--replace", "functions", "--module", "example.com/shop", "--hub", "Mine"); code != 0 {
		t.Fatalf("%d %s%s", code, out, problems)
	}
	wantIn(t, "shop/go.mod", "module example.com/shop\n", "=> ../functions\n")
	wantIn(t, "shop/local.settings.json", `"TaskHub": "Mine"`)
}

// What is wrong is said, with the exit code of a wrong use where it is one, and nothing
// is written.
func TestInitAndNewRefuse(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("main.go", []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"init"}, 2, "DIR"},
		{[]string{"init", "."}, 1, "has main.go already"},
		{[]string{"init", "shop", "--template", "tea"}, 2, "there are hello, order"},
		{[]string{"init", "shop", "--module", "my shop"}, 2, "not a module path"},
		{[]string{"init", "shop", "--hub", "a-b"}, 2, "not a name of a task hub"},
		{[]string{"init", "shop", "--ci", "jenkins"}, 2, "there are azure, github"},
		{[]string{"init", "shop", "--replace", "."}, 2, "no checkout"},
		{[]string{"init", "..."}, 2, "--module"},
		{[]string{"init", "main.go"}, 1, "is a file"},
		{[]string{"new"}, 2, "a command is missing"},
		{[]string{"new", "tea", "Tea"}, 2, `there is no command "tea"`},
		{[]string{"new", "activity"}, 2, "NAME"},
		{[]string{"new", "activity", "Tea"}, 1, "durable init"},
	} {
		code, out, problems := command(t, c.args...)
		if code != c.code || !strings.Contains(problems, c.says) || out != "" {
			t.Errorf("%q: %d %s%s", c.args, code, out, problems)
		}
	}
	if err := os.WriteFile("go.mod", []byte("module shop\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, problems := command(t, "new", "activity", "Boil-Water"); code != 2 || !strings.Contains(problems, "not a name of a function") {
		t.Errorf("%d %s", code, problems)
	}
	if code, _, problems := command(t, "new", "activity", "BoilWater"); code != 1 || !strings.Contains(problems, "app.Register(boilwater.Activity)") {
		t.Errorf("%d %s", code, problems)
	}
	if entries, err := os.ReadDir("."); err != nil || len(entries) != 2 {
		t.Errorf("%v %v", entries, err)
	}
}
