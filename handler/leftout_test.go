package handler

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// function is the function.json of an HTTP function.
func function(route, level, methods string) string {
	in := fmt.Sprintf(`{"type": "httpTrigger", "name": "req", "authLevel": %q, "route": %q}`, level, route)
	if methods != "" {
		in = strings.Replace(in, `"req"`, `"req", "methods": `+methods, 1)
	}
	return bindings(in, httpOut)
}

// The host runs the functions of the list in host.json, if there is one. Another one
// takes no paths from them.
func TestListOfFunctions(t *testing.T) {
	const all, one = "A", "B"
	for _, c := range []struct {
		name, list string
		environ    []string
		want       string
	}{
		{"no list", `"x": 1`, nil, all},
		{"an empty list", `"functions": []`, nil, all},
		{"null", `"functions": null`, nil, all},
		{"a list", `"functions": ["b", "C"]`, nil, one},
		{"a list of both", `"FUNCTIONS": ["b", "a"]`, nil, all},
		{"func start --functions", `"x": 1`, []string{"AzureFunctionsJobHost__functions__0=B"}, one},
		{"a place of the list is another one", `"functions": ["A", "C"]`, []string{"AzureFunctionsJobHost__functions__0=B"}, one},
		{"with colons", `"x": 1`, []string{"AzureFunctionsJobHost:functions:0=B"}, one},
		{"a further place of the list", `"functions": ["B"]`, []string{"AzureFunctionsJobHost__functions__1=A"}, all},
	} {
		app, err := Load(writeApp(t, map[string]string{
			"host.json": `{"version": "2.0", ` + c.list + `}`, "A/function.json": function("x/{id}", "function", ""), "B/function.json": function("{*rest}", "anonymous", ""),
		}), c.environ)
		if err != nil {
			t.Fatal(err)
		}
		if name, _, _ := app.routes.Find(http.MethodGet, "/api/x/1"); name != c.want || len(app.Functions) != 2 {
			t.Errorf("%s: %q, want %q", c.name, name, c.want)
		}
	}
}

// Of functions with one route and a method in common the host runs the one whose name
// comes first, and leaves the others out for all their methods.
func TestFunctionsOfOneRoute(t *testing.T) {
	for _, c := range []struct {
		a, b, methodsA, methodsB string
		// post is the function of a POST to /api/x, with an anonymous catch-all behind both.
		post    string
		leftOut bool
	}{
		{"x", "x", "", "", "A", true}, {"x", "X", `["get"]`, `["GET", "post"]`, "Site", true}, {"x", "x/", `["get"]`, "", "Site", true},
		{"x", "x", `["get"]`, `["post"]`, "a_", false}, {"{id}", "{ID}", `["get"]`, "", "Site", true}, {"{id}", "{name}", `["get"]`, "", "a_", false}, {"y", "x", "", "", "a_", false},
	} {
		app, err := Load(writeApp(t, map[string]string{
			"host.json": plainHost, "a_/function.json": function(c.b, "function", c.methodsB), "A/function.json": function(c.a, "function", c.methodsA),
			"Site/function.json": function("{*rest}", "anonymous", ""),
		}), nil)
		if err != nil {
			t.Fatal(err)
		}
		name, _, _ := app.routes.Find(http.MethodPost, "/api/x")
		warned := strings.Contains(strings.Join(app.RouteConflicts(), "\n"), "a_ is not run by the host: A has its route")
		if name != c.post || warned != c.leftOut {
			t.Errorf("%+v: %q, warnings %q", c, name, app.RouteConflicts())
		}
	}
}

func TestDisabledBySettings(t *testing.T) {
	for setting, want := range map[string]bool{
		"AzureWebJobs.A.Disabled=true": true, "AZUREWEBJOBS_a_DISABLED=1": true, "AzureWebJobs.A.Disabled=false": false, "AzureWebJobs.B.Disabled=true": false, "AzureWebJobs.A.Disabled=": false,
	} {
		app, err := Load(writeApp(t, map[string]string{"host.json": plainHost, "A/function.json": function("x", "function", "")}), []string{setting})
		if err != nil || app.Function("A").Disabled != want {
			t.Errorf("%s: %v", setting, err)
		}
	}
}
