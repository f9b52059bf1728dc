package handler

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestHostJSON(t *testing.T) {
	const hub = `{"version": "2.0", "extensions": {"durableTask": {"hubName": "H", "storageProvider": {"partitionCount": 1}}}}`
	cases := []struct {
		name, host string
		environ    []string
		prefix     string
		proxied    bool
		durable    string
	}{
		{"least", plainHost, nil, "api", false, ""},
		{"proxied", `{"version": "2.0", "customHandler": {"enableProxyingHttpRequest": true}}`, nil, "api", true, ""},
		{"forwarding", `{"version": "2.0", "customHandler": {"enableForwardingHttpRequest": true}}`, nil, "api", true, ""},
		{"not proxied", `{"version": "2.0", "customHandler": {"enableProxyingHttpRequest": false}}`, nil, "api", false, ""},
		{"names without case", `{"VERSION": "2.0", "EXTENSIONS": {"HTTP": {"RoutePrefix": "x"}}, "customhandler": {"enableproxyinghttprequest": "True"}}`, nil, "x", true, ""},
		{"comments and a byte order mark", "\xef\xbb\xbf{ // one\n \"version\": \"2.0\" /* two \" */, \"extensions\": {\"http\": {\"routePrefix\": \"a//b\"}} // three\n}", nil, "a//b", false, ""},
		{"section", hub, nil, "api", false, `{"hubName":"H","storageProvider":{"partitionCount":1}}`},
		{"override of a value", hub, []string{"AzureFunctionsJobHost__extensions__durableTask__HUBNAME=X"}, "api", false, `{"hubName":"X","storageProvider":{"partitionCount":1}}`},
		{"override of a missing section", plainHost, []string{"AzureFunctionsJobHost__customHandler__enableProxyingHttpRequest=true", "AZUREFUNCTIONSJOBHOST__extensions__durableTask__hubName=Y"}, "api", true, `{"hubname":"Y"}`},
		{"override of the version", `{}`, []string{"AzureFunctionsJobHost__version=2.0"}, "api", false, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			app, err := Load(writeApp(t, map[string]string{"host.json": c.host}), c.environ)
			if err != nil {
				t.Fatal(err)
			}
			if app.RoutePrefix != c.prefix || app.Proxied != c.proxied {
				t.Errorf("prefix %q, proxied %v; want %q, %v", app.RoutePrefix, app.Proxied, c.prefix, c.proxied)
			}
			if got := string(app.DurableTask); got != c.durable {
				t.Errorf("durableTask %s, want %s", got, c.durable)
			}
		})
	}
}

func TestHostJSONErrors(t *testing.T) {
	cases := []struct{ name, host, want string }{
		{"no JSON", `{`, "host.json does not parse"},
		{"an array", `[]`, "host.json does not parse"},
		{"null", `null`, "host.json: version"},
		{"no version", `{}`, "host.json: version"},
		{"old version", `{"version": "1.0"}`, "host.json: version"},
		{"version is a number", `{"version": 2.0}`, "host.json: version"},
		{"comment without an end", `{"version": "2.0" /* }`, "host.json does not parse"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(writeApp(t, map[string]string{"host.json": c.host}), []string{"AzureFunctionsJobHost__logging__x=1"})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// The files are read as the host reads them: with a byte order mark, comments,
// commas at ends, and numbers and booleans for texts.
func TestFilesAsTheHostReadsThem(t *testing.T) {
	const bom = "\xef\xbb\xbf"
	app, err := load(t, bom+`{
		// comment
		"version": "2.0", /* "version": "1.0" */
		"extensions": {"http": {"routePrefix": 5,}, "durableTask": {"maxConcurrentActivityFunctions": 7, "hubName": "H",},},
		"customHandler": {"enableProxyingHttpRequest": "True"},
	}`, bom+`{"disabled": false, "bindings": [
		{"type": "httpTrigger", "name": "req", "route": 12, "authLevel": "Anonymous", "methods": ["GET",],}, // in
		{"type": "http", "direction": "out", "name": "res", "x": [1, 2,]},
	],}`)
	if err != nil {
		t.Fatal(err)
	}
	f := app.Functions[0]
	if f.Route != "5/12" || f.Level != "anonymous" || len(f.Methods) != 1 || !app.Proxied || string(app.DurableTask) != `{"hubName":"H","maxConcurrentActivityFunctions":7}` {
		t.Errorf("%+v %s", f, app.DurableTask)
	}
}

// Whatever the files are, they are taken or refused with the name of the file.
func FuzzFiles(f *testing.F) {
	f.Add([]byte(`{"version": "2.0", "extensions": {"http": {"routePrefix": "x"}}}`), []byte(bindings(httpIn, httpOut)))
	f.Add([]byte("\xef\xbb\xbf{\"version\": \"2.0\",}"), []byte(`{"bindings": [{"type": "queueTrigger", "name": "m", "queueName": "%A%",}]}`))
	f.Add([]byte(`{"version": 2}`), []byte(`{"bindings": [{"type": 5, "name": null, "methods": "get"}]} // x`))
	root := f.TempDir()
	f.Fuzz(func(t *testing.T, host, function []byte) {
		if err := os.MkdirAll(filepath.Join(root, "F"), 0o700); err != nil {
			t.Fatal(err)
		}
		for name, raw := range map[string][]byte{"host.json": host, "F/function.json": function} {
			if err := os.WriteFile(filepath.Join(root, name), raw, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		app, err := Load(root, []string{"A=b"})
		switch {
		case err != nil && !strings.Contains(err.Error(), "host.json") && !strings.Contains(err.Error(), "F/function.json"):
			t.Fatalf("the error names no file: %v", err)
		case err == nil && len(app.Functions) != 1:
			t.Fatalf("%+v", app)
		}
	})
}
