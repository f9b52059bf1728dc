package handler

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const plainHost = `{"version": "2.0"}`

// writeApp makes an app's folder of files by path.
func writeApp(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// load reads an app of host.json and one function.json.
func load(t *testing.T, host, function string, environ ...string) (*App, error) {
	t.Helper()
	return Load(writeApp(t, map[string]string{"host.json": host, "F/function.json": function}), environ)
}

const (
	httpIn   = `{"type": "httpTrigger", "direction": "in", "name": "req", "authLevel": "function"}`
	httpOut  = `{"type": "http", "direction": "out", "name": "res"}`
	queueIn  = `{"type": "queueTrigger", "direction": "in", "name": "msg", "queueName": "%TaskHub%-Control-00", "dataType": "binary"}`
	timerIn  = `{"type": "timerTrigger", "direction": "in", "name": "timer", "schedule": "0 */5 * * * *"}`
	queueOut = `{"type": "queue", "direction": "out", "name": "more", "queueName": "q"}`
)

func bindings(list ...string) string { return `{"bindings": [` + strings.Join(list, ",") + `]}` }

func TestLoad(t *testing.T) {
	root := writeApp(t, map[string]string{
		"host.json":                  plainHost,
		"HttpStart/function.json":    bindings(strings.Replace(httpIn, `"req"`, `"req", "route": "orchestrators/{functionName}/", "methods": ["get", "POST"]`, 1), httpOut),
		"Orchestrator/function.json": bindings(queueIn),
		"Tick/function.json":         bindings(timerIn),
		"Both/function.json":         bindings(httpIn, httpOut, queueOut),
		"bin/handler":                "not a function",
		"samples/s/function.json":    `this is not read`,
		"a file that is no folder":   "",
	})
	app, err := Load(root, []string{"TASKHUB=MyHub", "novalue"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range app.Functions {
		names = append(names, f.Name)
	}
	if want := []string{"Both", "HttpStart", "Orchestrator", "Tick"}; !slices.Equal(names, want) {
		t.Errorf("functions %v, want %v", names, want)
	}
	start := app.Function("httpstart")
	if start == nil || !start.HTTP || start.Route != "api/orchestrators/{functionName}/" || !slices.Equal(start.Methods, []string{"GET", "POST"}) {
		t.Errorf("HttpStart: %+v", start)
	}
	if f := app.Function("Orchestrator"); f.Trigger.QueueName != "myhub-control-00" || f.Route != "" || f.HTTP {
		t.Errorf("Orchestrator: queue %q, route %q", f.Trigger.QueueName, f.Route)
	}
	if f := app.Function("Both"); f.HTTP || f.Route != "api/Both" {
		t.Errorf("a function with a further output is not proxied by the host: %+v", f)
	}
	if app.Function("bin") != nil || app.Function("") != nil {
		t.Error("a folder without function.json is not a function")
	}
}

func TestLoadErrors(t *testing.T) {
	cases := []struct {
		name, function string
		// want are parts of the error: file, field, value.
		want []string
	}{
		{"no JSON", `{"bindings": [`, []string{"F/function.json", "does not parse"}},
		{"empty", ``, []string{"F/function.json", "does not parse"}},
		{"wrong type", `{"bindings": {"type": "httpTrigger"}}`, []string{"F/function.json", "Bindings"}},
		{"no bindings", `{}`, []string{"F/function.json", "bindings", "at least one"}},
		{"empty bindings", bindings(), []string{"at least one"}},
		{"no trigger", bindings(httpOut), []string{"none is a trigger"}},
		{"two triggers", bindings(httpIn, queueIn), []string{`"req"`, `"msg"`, "exactly one"}},
		{"two of one name", bindings(httpIn, strings.Replace(httpOut, "res", "REQ", 1)), []string{"name", `"REQ"`}},
		{"bad name", bindings(strings.Replace(queueIn, `"msg"`, `"my-msg"`, 1)), []string{"name", `"my-msg"`}},
		{"no name", bindings(`{"type": "timerTrigger"}`), []string{"name", `""`}},
		{"no type", bindings(`{"name": "x"}`), []string{"type", `"x"`}},
		{"bad direction", bindings(strings.Replace(httpIn, `"in"`, `"up"`, 1)), []string{"direction", `"up"`}},
		{"unknown setting", bindings(queueIn), []string{"queueName", "%TaskHub%", "app setting"}},
		{"queue trigger without a queue", bindings(`{"type": "queueTrigger", "name": "msg"}`), []string{"queueName", `"msg"`}},
		{"reserved route", bindings(strings.Replace(httpIn, `"req"`, `"req", "route": "Runtime/x"`, 1), httpOut), []string{"route", "Runtime/x"}},
		{"route with a slash at its beginning", bindings(strings.Replace(httpIn, `"req"`, `"req", "route": "/a"`, 1), httpOut), []string{"F/function.json", "route", "slashes"}},
		{"route that stops the host", bindings(strings.Replace(httpIn, `"req"`, `"req", "route": "{id:nosuch}"`, 1), httpOut), []string{"F/function.json", "nosuch"}},
		{"unknown level", bindings(strings.Replace(httpIn, `"function"`, `"anonymus"`, 1), httpOut), []string{"authLevel", "anonymus"}},
		{"a trigger that is no input", bindings(strings.Replace(httpIn, `"in"`, `"inout"`, 1), httpOut), []string{"F/function.json", "direction", `"req"`}},
		{"an answer that is an input", bindings(httpIn, strings.Replace(httpOut, `"out"`, `"in"`, 1)), []string{"F/function.json", "direction", `"res"`}},
		{"an answer without a direction", bindings(httpIn, `{"type": "http", "name": "res"}`), []string{"direction", `"res"`}},
		{"a script that is not there", `{"scriptFile": "x", ` + bindings(httpIn, httpOut)[1:], []string{"F/function.json", "scriptFile", `"x"`}},
		{"a folder for a script", `{"scriptFile": "..", ` + bindings(httpIn, httpOut)[1:], []string{"scriptFile"}},
		{"of .NET", `{"configurationSource": "attributes", ` + bindings(httpIn, httpOut)[1:], []string{"configurationSource", "attributes"}},
		{"longer reserved route", bindings(strings.Replace(httpIn, `"req"`, `"req", "route": "administration"`, 1), httpOut), []string{"route", "administration"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			app, err := load(t, plainHost, c.function)
			if err == nil {
				t.Fatalf("loaded %+v", app.Functions[0])
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %q", err, part)
				}
			}
		})
	}
}

func TestLoadFolders(t *testing.T) {
	cases := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"bad folder name", map[string]string{"host.json": plainHost, "1st/function.json": bindings(timerIn)}, `"1st"`},
		{"folder named host", map[string]string{"host.json": plainHost, "Host/function.json": bindings(timerIn)}, `"Host"`},
		{"one name twice", map[string]string{"host.json": plainHost, "tick/function.json": bindings(timerIn), "Tick/function.json": bindings(timerIn)}, "same name"},
		{"no host.json", map[string]string{"Tick/function.json": bindings(timerIn)}, "host.json"},
		{"function.json is a folder", map[string]string{"host.json": plainHost, "Tick/function.json/x": ""}, "Tick/function.json"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(writeApp(t, c.files), nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
	if _, err := Load(filepath.Join(t.TempDir(), "nowhere"), nil); err == nil {
		t.Error("a folder that is not there was loaded")
	}
}

func TestRouteOfFunction(t *testing.T) {
	cases := []struct{ prefix, route, want string }{
		{`"api"`, ``, "api/F"},
		{`"api"`, `"route": "",`, "api/F"},
		{`"api"`, `"route": "a/{b}",`, "api/a/{b}"},
		{`""`, `"route": "a",`, "a"},
		{`""`, ``, "F"},
		{`"/v1/x/"`, `"route": "a/",`, "v1/x/a/"},
	}
	for _, c := range cases {
		host := `{"version": "2.0", "extensions": {"http": {"routePrefix": ` + c.prefix + `}}}`
		app, err := load(t, host, bindings(`{`+c.route+` "type": "httpTrigger", "name": "req"}`, httpOut))
		if err != nil {
			t.Fatal(err)
		}
		if f := app.Functions[0]; f.Route != c.want || !f.HTTP {
			t.Errorf("prefix %s, %s: route %q, want %q", c.prefix, c.route, f.Route, c.want)
		}
	}
}

func TestReturnBinding(t *testing.T) {
	app, err := load(t, plainHost, bindings(httpIn, strings.Replace(httpOut, "res", "$return", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if !app.Functions[0].HTTP {
		t.Error("an output named $return is an HTTP output")
	}
}
