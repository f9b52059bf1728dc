//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/e2e/host"
)

// Functions that the host leaves out have no paths in the handler, either: those behind
// them have. Those that a setting disables keep theirs. Each function whose name begins
// with A is keyed and comes first, and no request has a key.
func TestFunctionsThatTheHostLeavesOut(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"list", "under", "dot", "json", "colon", "on"} {
		httpFunction(t, dir, "A"+name, name+"/{id}", "function")
		httpFunction(t, dir, "B"+name, name+"/{*rest}", "anonymous")
	}
	spoil := func(name, member string) {
		file := filepath.Join(dir, name, "function.json")
		raw, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(file, []byte("{"+member+","+strings.TrimPrefix(string(raw), "{")), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	spoil("Ajson", `"disabled": true`)
	env := []string{"AzureWebJobs_Aunder_Disabled=true", "AzureWebJobs.Adot.Disabled=1", "AzureFunctionsJobHost:functions:30=Acolon"}
	args := []string{"--enableAuth", "--functions", "Blist", "Aunder", "Bunder", "Adot", "Bdot", "Ajson", "Bjson", "Bcolon", "Aon", "Bon", "HttpStart", "Orchestrator", "Hello", "DurableTask", "DurableTaskLinks"}
	h := runRoutes(t, dir, host.Options{Env: env, Args: args})
	l := &line{t: t, address: strings.TrimPrefix(h.URL, "http://")}
	defer l.close()
	for path, want := range map[string]int{"list": 200, "under": 401, "dot": 401, "json": 401, "colon": 401, "on": 401} {
		code, body, _ := l.ask("GET", "/api/"+path+"/1")
		if code != want || strings.Contains(body, `"A`) {
			t.Errorf("%s: %d %s, want %d", path, code, body, want)
		}
	}
}
