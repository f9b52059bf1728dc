package gclplugin

import (
	"strings"
	"testing"

	"github.com/golangci/plugin-module-register/register"
)

// TestPlugin makes the linter as golangci-lint does, from settings in YAML.
func TestPlugin(t *testing.T) {
	create, err := register.GetPlugin("durablevet")
	if err != nil {
		t.Fatal(err)
	}
	made, err := create(map[string]any{"disable": []string{"clock", "endless"}, "trust": "example.com/...", "unknown": true})
	if err != nil {
		t.Fatal(err)
	}
	analyzers, err := made.BuildAnalyzers()
	if err != nil || len(analyzers) != 1 || made.GetLoadMode() != register.LoadModeTypesInfo {
		t.Fatalf("%d analyzers, %s: %v", len(analyzers), made.GetLoadMode(), err)
	}
	for name, want := range map[string]string{"clock": "false", "endless": "false", "random": "true", "trust": "example.com/...", "unknown": "true"} {
		if got := analyzers[0].Flags.Lookup(name).Value.String(); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if _, err := create(nil); err != nil {
		t.Errorf("without settings: %v", err)
	}
	for _, wrong := range []map[string]any{{"disable": []string{"clocks"}}, {"dissable": []string{"clock"}}} {
		if _, err := create(wrong); err == nil || !strings.Contains(err.Error(), "settings of durablevet") {
			t.Errorf("%v: %v", wrong, err)
		}
	}
}
