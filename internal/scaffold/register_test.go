package scaffold_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/durable-go/functions/internal/scaffold"
)

const imports = "import (\n\t\"context\"\n\t\"log\"\n\n\t\"github.com/durable-go/functions/durable\"\n)\n"

// mainOf is a main.go with these lines in main.
func mainOf(lines ...string) string {
	return "package main\n\n" + imports + "\nfunc main() {\n\t" + strings.Join(lines, "\n\t") + "\n}\n"
}

const (
	newApp = "app := durable.NewApp()"
	run    = "log.Fatal(app.Run(context.Background()))"
)

// A function is registered where a developer would do it, and what is there stays as
// it is.
func TestRegistration(t *testing.T) {
	tea := scaffold.Function{Kind: scaffold.Orchestrator, Name: "Tea"}
	for _, c := range []struct {
		name, before, after string
		f                   scaffold.Function
	}{
		{"the first function", mainOf(newApp, run), mainOf(newApp, "app.Register(tea.Orchestrator)", run), tea},
		{
			"one more argument", mainOf(newApp, "app.Register(a.Activity) // all", run),
			mainOf(newApp, "app.Register(a.Activity, tea.Orchestrator) // all", run), tea,
		},
		{
			"one argument a line", mainOf(newApp, "app.Register(", "\ta.Activity, // of a", "\tb.Activity,", ")", run),
			mainOf(newApp, "app.Register(", "\ta.Activity, // of a", "\tb.Activity,", "\ttea.Entity,", ")", run),
			scaffold.Function{Kind: scaffold.Entity, Name: "Tea"},
		},
		{
			"a long line", mainOf(newApp, "app.Register("+strings.Repeat("a.Activity, ", 6)+"a.Activity)", run),
			mainOf(newApp, "app.Register("+strings.Repeat("a.Activity, ", 6)+"a.Activity)", "app.Register(tea.Orchestrator)", run), tea,
		},
		{
			"the last of several", mainOf(newApp, "app.Register(a.Activity)", "// and b", "app.Register(b.Activity)", run),
			mainOf(newApp, "app.Register(a.Activity)", "// and b", "app.Register(b.Activity, tea.Activity)", run),
			scaffold.Function{Kind: scaffold.Activity, Name: "Tea"},
		},
		{
			"a list", mainOf(newApp, "app.Register(all...)", run),
			mainOf(newApp, "app.Register(all...)", "app.Register(tea.Orchestrator)", run), tea,
		},
		{
			"HTTP", mainOf(newApp, "app.Register(a.Activity)", `app.HandleHTTP("A", a.Handler()) // a`, run),
			mainOf(newApp, "app.Register(a.Activity)", `app.HandleHTTP("A", a.Handler()) // a`, `app.HandleHTTP("Tea", tea.Handler(app.Client()))`, run),
			scaffold.Function{Kind: scaffold.HTTP, Name: "Tea"},
		},
		{
			"trigger", mainOf("functions := durable.NewApp()", "functions.Register(a.Activity)"),
			mainOf("functions := durable.NewApp()", "functions.Register(a.Activity)", `durable.HandleTrigger(functions, "Tea", tea.Handler(functions.Client()))`),
			scaffold.Function{Kind: scaffold.Trigger, Name: "Tea"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := registered(t, c.before, c.f)
			want := strings.Replace(c.after, "functions/durable\"\n", "functions/durable\"\n\ttea \"example.com/shop/Tea\"\n", 1)
			want = strings.Replace(want, "\t\"github.com/durable-go/functions/durable\"\n\ttea \"example.com/shop/Tea\"\n", "\ttea \"example.com/shop/Tea\"\n\t\"github.com/durable-go/functions/durable\"\n", 1)
			if got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// registered is a main.go with a function added.
func registered(t *testing.T, main string, f scaffold.Function) string {
	t.Helper()
	a, err := scaffold.Add(fstest.MapFS{"main.go": {Data: []byte(main)}}, "example.com/shop", f)
	if err != nil {
		t.Fatal(err)
	}
	return string(a.Main.Content)
}

// Other ways to write main.go are understood, too.
func TestRegistrationElsewhere(t *testing.T) {
	const durable = "import \"github.com/durable-go/functions/durable\"\n"
	for _, c := range []struct{ name, before, has string }{
		{
			"a function that gets the app",
			"package main\n\n" + durable + "\nfunc main() { f(durable.NewApp()) }\n\nfunc f(app *durable.App) {\n\tapp.Register(x)\n}\n",
			"\tapp.Register(x, tea.Orchestrator)\n",
		},
		{
			"one that registers nothing yet",
			"package main\n\n" + durable + "\nfunc f(app *durable.App) {\n}\n",
			"\tapp.Register(tea.Orchestrator)\n",
		},
		{
			"another name of the package",
			"package main\n\nimport d \"github.com/durable-go/functions/durable\"\n\nfunc f() {\n\ta := d.NewApp()\n\t_ = a\n}\n",
			"a := d.NewApp()\n\ta.Register(tea.Orchestrator)\n",
		},
		{"one import", "package main\n\n" + durable + "\nfunc f() {\n\ta := durable.NewApp()\n\t_ = a\n}\n", "import tea \"example.com/shop/Tea\"\n"},
	} {
		if got := registered(t, c.before, scaffold.Function{Kind: scaffold.Orchestrator, Name: "Tea"}); !strings.Contains(got, c.has) {
			t.Errorf("%s: got\n%s\nwithout\n%s", c.name, got, c.has)
		}
	}
}

// Where the place cannot be found, the error shows what to write.
func TestNoPlace(t *testing.T) {
	for name, main := range map[string]string{
		"no durable":       "package main\n\nfunc main() {}\n",
		"no variable":      "package main\n\n" + imports + "\nfunc main() {\n\tlog.Fatal(durable.NewApp().Run(context.Background()))\n}\n",
		"of another's app": "package main\n\n" + imports + "\nfunc main() {\n\tapp := other()\n\tapp.Register(x)\n}\n",
	} {
		a, err := scaffold.Add(fstest.MapFS{"main.go": {Data: []byte(main)}}, "example.com/shop", scaffold.Function{Kind: scaffold.Trigger, Name: "OnTea"})
		var place *scaffold.PlaceError
		if a != nil || !errors.As(err, &place) || place.Import != `ontea "example.com/shop/OnTea"` ||
			place.Line != `durable.HandleTrigger(app, "OnTea", ontea.Handler(app.Client()))` || !strings.Contains(err.Error(), place.Line) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := scaffold.Add(fstest.MapFS{"main.go": {Data: []byte("package main\n\nfunc {")}}, "x", scaffold.Function{Kind: scaffold.Activity, Name: "Tea"})
	if err == nil || !strings.Contains(err.Error(), "main.go:3") {
		t.Errorf("a main.go that does not parse: %v", err)
	}
}
