// Package gclplugin makes durablevet a linter of golangci-lint, by its system
// of module plugins: see docs/vet.md.
package gclplugin

import (
	"fmt"

	"github.com/golangci/plugin-module-register/register"
	"golang.org/x/tools/go/analysis"

	"github.com/durable-go/functions/cmd/durablevet/determinism"
)

func init() { register.Plugin(determinism.Name, newPlugin) }

// settings are those of the linter in .golangci.yml.
type settings struct {
	// Disable names rules that are not to be in force, such as endless.
	Disable []string `json:"disable"`
	// Trust and Unknown are the flags of these names.
	Trust   string `json:"trust"`
	Unknown bool   `json:"unknown"`
}

type plugin struct{ analyzer *analysis.Analyzer }

func newPlugin(conf any) (register.LinterPlugin, error) {
	s, err := register.DecodeSettings[settings](conf)
	if err != nil {
		return nil, fmt.Errorf("settings of %s: %w", determinism.Name, err)
	}
	a := determinism.New()
	set := map[string]string{"trust": s.Trust, "unknown": fmt.Sprint(s.Unknown)}
	for _, rule := range s.Disable {
		set[rule] = "false"
	}
	for name, value := range set {
		if err := a.Flags.Set(name, value); err != nil {
			return nil, fmt.Errorf("settings of %s: %s: %w", determinism.Name, name, err)
		}
	}
	return plugin{a}, nil
}

// BuildAnalyzers implements register.LinterPlugin.
func (p plugin) BuildAnalyzers() ([]*analysis.Analyzer, error) {
	return []*analysis.Analyzer{p.analyzer}, nil
}

// GetLoadMode implements register.LinterPlugin: the analyzer needs types.
func (plugin) GetLoadMode() string { return register.LoadModeTypesInfo }
