package handler

import (
	"encoding/json"
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

func TestWithoutComments(t *testing.T) {
	cases := []struct{ in, want string }{
		{`{"a": "// not one"}`, `{"a": "// not one"}`},
		{`{"a": "/* not one */"}`, `{"a": "/* not one */"}`},
		{`{"a": "\"// not one"} // one`, `{"a": "\"// not one"}       `},
		{"1//x\n2", "1   \n2"},
		{`1/**/2`, `1    2`},
		{`1/*`, `1  `},
		{`//`, `  `},
		{`"\`, `"\`},
	}
	for _, c := range cases {
		if got := string(withoutComments([]byte(c.in))); got != c.want {
			t.Errorf("withoutComments(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

// Comments never change JSON that has none.
func FuzzWithoutComments(f *testing.F) {
	for _, seed := range []string{`{"a": "//", "b": [1, "/*", "*/"]}`, `"\"//"`, `/* x */ {}`, "\xef\xbb\xbf[]", `//`, `/`, `"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := string(raw)
		got := withoutComments(raw)
		if string(raw) != before {
			t.Fatal("the input was changed")
		}
		if json.Valid(raw) && string(got) != before {
			t.Fatalf("%q became %q", before, got)
		}
	})
}
