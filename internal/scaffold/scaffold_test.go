package scaffold_test

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/durable-go/functions/internal/scaffold"
	"pgregory.net/rapid"
)

var shop = scaffold.Options{Template: "hello", Module: "example.com/shop", Hub: "ShopHub", Version: "v1.2.3"}

// What makes no app is an error that says what is wrong.
func TestBadOptions(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*scaffold.Options)
		says   string
	}{
		{"no template", func(o *scaffold.Options) { o.Template = "" }, "hello, order"},
		{"unknown template", func(o *scaffold.Options) { o.Template = "tea" }, `no template "tea"`},
		{"no module", func(o *scaffold.Options) { o.Module = "" }, "not a module path"},
		{"module with a space", func(o *scaffold.Options) { o.Module = "my shop" }, "not a module path"},
		{"module with a slash at its end", func(o *scaffold.Options) { o.Module = "shop/" }, "not a module path"},
		{"module of the product", func(o *scaffold.Options) { o.Module = "github.com/durable-go/functions" }, "product"},
		{"module of the go command", func(o *scaffold.Options) { o.Module = "cmd" }, "go command"},
		{"hub with a dash", func(o *scaffold.Options) { o.Hub = "my-hub" }, "task hub"},
		{"short hub", func(o *scaffold.Options) { o.Hub = "ab" }, "task hub"},
		{"unknown pipeline", func(o *scaffold.Options) { o.CI = "jenkins" }, "azure, github"},
		{"no version", func(o *scaffold.Options) { o.Version = "" }, "checkout"},
	} {
		o := shop
		c.change(&o)
		files, err := scaffold.App(o)
		if err == nil || !strings.Contains(err.Error(), c.says) || files != nil {
			t.Errorf("%s: %d files, %v", c.name, len(files), err)
		}
	}
}

// Nothing of a template speaks of the repository of the samples, or of their hubs.
func TestAppsAreTheirOwn(t *testing.T) {
	for _, template := range scaffold.Templates() {
		o := shop
		o.Template = template.Name
		files, err := scaffold.App(o)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range files {
			names = append(names, f.Path)
			for _, foreign := range []string{"functions/samples", "samples/" + template.Name, "./cmd/durable start"} {
				if bytes.Contains(f.Content, []byte(foreign)) {
					t.Errorf("%s of %s has %s", f.Path, template.Name, foreign)
				}
			}
			if f.Path == "host.json" && !bytes.Contains(f.Content, []byte(`"hubName": "ShopHub"`)) ||
				f.Path == "local.settings.json" && !bytes.Contains(f.Content, []byte(`"TaskHub": "ShopHub"`)) {
				t.Errorf("%s of %s has another task hub:\n%s", f.Path, template.Name, f.Content)
			}
		}
		for _, name := range []string{
			"go.mod", "main.go", "host.json", "local.settings.json", "README.md", ".gitignore", ".funcignore",
			".vscode/tasks.json", ".vscode/launch.json", ".devcontainer/devcontainer.json", "DurableTask/function.json", "DurableTaskLinks/function.json",
		} {
			if !slices.Contains(names, name) {
				t.Errorf("%s has no %s", template.Name, name)
			}
		}
	}
}

// Names that are made of a folder's name are ones that [scaffold.App] takes.
func TestNamesOfFolders(t *testing.T) {
	for dir, want := range map[string][2]string{
		"/home/ann/My Shop": {"my-shop", "MyShopHub"},
		"shop":              {"shop", "ShopHub"},
		"/":                 {"", "Hub"},
		"order_system.v2":   {"order_system.v2", "OrderSystemV2Hub"},
		"2nd":               {"2nd", "NdHub"},
	} {
		module := scaffold.ModuleName(dir)
		if got := [2]string{module, scaffold.HubName(module)}; got != want {
			t.Errorf("%s: %q, want %q", dir, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		o := shop
		o.Module = "example.com/" + scaffold.ModuleName(rapid.String().Draw(t, "folder"))
		o.Hub = scaffold.HubName(o.Module)
		if _, err := scaffold.App(o); err != nil && o.Module != "example.com/" {
			t.Fatal(err)
		}
	})
}

// Where a file is there already, nothing is written.
func TestWriteChangesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	files, err := scaffold.App(shop)
	if err != nil {
		t.Fatal(err)
	}
	if err := scaffold.Write(dir, files); err == nil || !strings.Contains(err.Error(), "has main.go already") {
		t.Error(err)
	}
	entries, err := os.ReadDir(dir)
	raw, _ := os.ReadFile(filepath.Join(dir, "main.go"))
	if err != nil || len(entries) != 1 || string(raw) != "mine" {
		t.Errorf("%v, %v, %q", entries, err, raw)
	}
	if err := scaffold.Write(filepath.Join(dir, "main.go"), files); err == nil {
		t.Error("wrote into a file")
	}
	if err := scaffold.Write(filepath.Join(dir, "main.go", "shop"), files); err == nil {
		t.Error("wrote below a file")
	}
}

// What cannot be written to the end is taken away again.
func TestWriteCleansUp(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	err := scaffold.Write(dir, []scaffold.File{{Path: "x/one", Content: []byte("1")}, {Path: "x/one/two"}})
	if err == nil {
		t.Fatal("a file was written below a file")
	}
	if _, err := os.Stat(filepath.Dir(dir)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is there: %v", filepath.Dir(dir), err)
	}
}

// app is the hello template as a file system.
func app(t *testing.T) fstest.MapFS {
	t.Helper()
	files, err := scaffold.App(shop)
	if err != nil {
		t.Fatal(err)
	}
	out := fstest.MapFS{}
	for _, f := range files {
		out[f.Path] = &fstest.MapFile{Data: f.Content}
	}
	return out
}

// A function that cannot be added is an error that says why.
func TestBadFunctions(t *testing.T) {
	for _, c := range []struct {
		name string
		f    scaffold.Function
		says string
	}{
		{"no name", scaffold.Function{Kind: scaffold.Activity}, "not a name of a function"},
		{"dash", scaffold.Function{Kind: scaffold.Activity, Name: "Make-Tea"}, "not a name of a function"},
		{"path", scaffold.Function{Kind: scaffold.Activity, Name: "../Tea"}, "not a name of a function"},
		{"keyword", scaffold.Function{Kind: scaffold.Activity, Name: "Func"}, "Go does not allow"},
		{"there already", scaffold.Function{Kind: scaffold.Activity, Name: "HELLO"}, "Hello is there already"},
		{"management", scaffold.Function{Kind: scaffold.HTTP, Name: "DurableTask"}, "another meaning"},
		{"package of main.go", scaffold.Function{Kind: scaffold.Activity, Name: "Durable"}, "main.go uses already"},
		{"variable of main.go", scaffold.Function{Kind: scaffold.Activity, Name: "App"}, "main.go uses already"},
		{"unknown kind", scaffold.Function{Kind: "tea", Name: "Tea"}, "orchestrator, activity"},
		{"unknown trigger", scaffold.Function{Kind: scaffold.Trigger, Name: "Tea", Binding: "kettle"}, "queue, timer"},
		{"trigger of an activity", scaffold.Function{Kind: scaffold.Activity, Name: "Tea", Binding: "queue"}, "no trigger"},
	} {
		a, err := scaffold.Add(app(t), "example.com/shop", c.f)
		if err == nil || !strings.Contains(err.Error(), c.says) || a != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := scaffold.Add(fstest.MapFS{}, "x", scaffold.Function{Kind: scaffold.Activity, Name: "Tea"}); err == nil || !strings.Contains(err.Error(), "not the folder of an app") {
		t.Error(err)
	}
}

// One folder listens to each queue of the task hub: the first function of an empty
// app, and no second one.
func TestQueuesAreListenedToOnce(t *testing.T) {
	o := shop
	o.Template = scaffold.Empty
	files, err := scaffold.App(o)
	if err != nil {
		t.Fatal(err)
	}
	empty := fstest.MapFS{}
	for _, f := range files {
		empty[f.Path] = &fstest.MapFile{Data: f.Content}
	}
	want := map[string]string{"MakeTea": "%TaskHub%-control-00", "BoilWater": "%TaskHub%-workitems"}
	got := map[string]string{}
	for _, f := range []scaffold.Function{
		{Kind: scaffold.Orchestrator, Name: "MakeTea"}, {Kind: scaffold.Orchestrator, Name: "MakeCoffee"}, {Kind: scaffold.Entity, Name: "Pot"},
		{Kind: scaffold.Activity, Name: "BoilWater"}, {Kind: scaffold.Activity, Name: "Pour"},
	} {
		a, err := scaffold.Add(empty, "example.com/shop", f)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range append(a.Files, a.Main) {
			empty[file.Path] = &fstest.MapFile{Data: file.Content}
			if !strings.HasSuffix(file.Path, "function.json") {
				continue
			}
			for _, queue := range want {
				if bytes.Contains(file.Content, []byte(queue)) {
					got[f.Name] = queue
				}
			}
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("queues %v, want %v", got, want)
	}
}

// The templates follow the lab: the sample hello is its code, and the editor's
// settings, the ignored files and the management API are those of the lab.
func TestTemplatesFollowTheLab(t *testing.T) {
	read := func(name string) string {
		raw, err := os.ReadFile(filepath.Join(root(t), name))
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	here := strings.NewReplacer("go run ./cmd/durable ", "durable ", " . ./HttpStart ./Orchestrator ./Hello ./samples/...", "")
	for _, name := range []string{"tasks.json", "launch.json", "settings.json", "extensions.json", "durable.code-snippets"} {
		if got := read("internal/scaffold/skeleton/vscode/" + name); got != here.Replace(read(".vscode/"+name)) {
			t.Errorf(".vscode/%s of templates is not that of the lab", name)
		}
	}
	for _, name := range []string{
		"main.go", "HttpStart/httpstart.go", "HttpStart/function.json", "Orchestrator/orchestrator.go",
		"Orchestrator/orchestrator_test.go", "Orchestrator/function.json", "Hello/hello.go", "Hello/function.json",
	} {
		lab := strings.NewReplacer(`functions/Hello"`, `functions/samples/hello/Hello"`, `functions/HttpStart"`, `functions/samples/hello/HttpStart"`, `functions/Orchestrator"`, `functions/samples/hello/Orchestrator"`)
		if got, want := words(read("samples/hello/"+name)), words(lab.Replace(read(name))); !slices.Equal(got, want) {
			t.Errorf("samples/hello/%s is not that of the lab", name)
		}
	}
	for _, s := range folders(t) {
		for _, name := range []string{"DurableTask/function.json", "DurableTaskLinks/function.json"} {
			if read(s+"/"+name) != read(name) {
				t.Errorf("%s/%s is not that of the lab", s, name)
			}
		}
		hub := strings.Split(strings.SplitN(read(s+"/host.json"), `"hubName": "`, 2)[1], `"`)[0]
		for _, name := range []string{"host.json", "local.settings.json"} {
			own := strings.Replace(read(s+"/"+name), "\n      \"defaultVersion\": \"2.0.0\",", "", 1)
			if own != strings.ReplaceAll(read(name), "GoHub", hub) {
				t.Errorf("%s/%s is not that of the lab, but for the task hub", s, name)
			}
		}
	}
}

// words are the lines of a text, sorted: imports stand in another order under other
// paths.
func words(text string) []string { return slices.Sorted(strings.SplitSeq(text, "\n")) }

// folders are the apps that follow the lab: the empty template and the samples, but for
// those that show other settings.
func folders(t *testing.T) []string {
	t.Helper()
	all := []string{"internal/scaffold/skeleton/empty"}
	entries, err := os.ReadDir(filepath.Join(root(t), "samples"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && e.Name() != "conformance" && e.Name() != "telemetry" {
			all = append(all, "samples/"+e.Name())
		}
	}
	for _, template := range scaffold.Templates() {
		if template.Name != scaffold.Empty && !slices.Contains(all, "samples/"+template.Name) {
			t.Errorf("there is no sample %s", template.Name)
		}
	}
	return all
}
