// Package internal_test checks the house rules that no compiler knows.
package internal_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/durable-go/functions"

// rules say which packages of this module a package may import. Dependencies
// point inward: the engine knows only the events of histories, the worker knows
// the engine, and only the public package knows everything.
var rules = map[string][]string{
	"handler":                      {"handler/route", "internal/hostname", "internal/jsonc", "internal/redact"},
	"handler/route":                {},
	"handler/supervise":            {},
	"internal/history":             {},
	"internal/hostname":            {},
	"internal/jsonc":               {},
	"internal/redact":              {},
	"internal/storage":             {"internal/redact"},
	"internal/engine":              {"internal/history"},
	"internal/engine/enginetest":   {"internal/engine", "internal/history"},
	"internal/taskhub":             {"internal/history"},
	"internal/taskhub/memory":      {"internal/history", "internal/taskhub"},
	"internal/taskhub/sealed":      {"internal/history", "internal/taskhub"},
	"internal/taskhub/azure":       {"internal/history", "internal/storage", "internal/taskhub"},
	"internal/taskhub/faults":      {"internal/history", "internal/taskhub"},
	"internal/executor":            {"internal/taskhub"},
	"internal/journal":             {"internal/taskhub"},
	"internal/lease":               {"internal/executor", "internal/journal", "internal/taskhub"},
	"internal/activity":            {"durable/observe", "internal/engine", "internal/executor", "internal/history", "internal/journal", "internal/lease", "internal/taskhub", "internal/tracing"},
	"internal/mail":                {"internal/executor", "internal/lease", "internal/taskhub"},
	"internal/arrival":             {"internal/taskhub"},
	"internal/orchestration":       {"durable/observe", "internal/activity", "internal/arrival", "internal/engine", "internal/executor", "internal/history", "internal/journal", "internal/lease", "internal/mail", "internal/taskhub", "internal/tracing"},
	"internal/entity":              {"durable/observe", "internal/activity", "internal/arrival", "internal/executor", "internal/history", "internal/journal", "internal/lease", "internal/mail", "internal/taskhub", "internal/tracing"},
	"internal/worker":              {"durable/observe", "internal/activity", "internal/arrival", "internal/engine", "internal/entity", "internal/executor", "internal/history", "internal/journal", "internal/lease", "internal/mail", "internal/orchestration", "internal/taskhub"},
	"internal/client":              {"durable/observe", "internal/entity", "internal/history", "internal/taskhub", "internal/tracing"},
	"internal/reconcile":           {"internal/history", "internal/taskhub"},
	"internal/hubcheck":            {"internal/entity", "internal/history", "internal/reconcile", "internal/taskhub", "internal/taskhub/azure"},
	"internal/dashboard":           {},
	"deploy":                       {},
	"infra":                        {},
	"samples":                      {},
	"internal/scaffold":            {"deploy", "infra", "samples"},
	"internal/management":          {"internal/client", "internal/dashboard", "internal/history", "internal/hostname", "internal/reconcile", "internal/taskhub"},
	"internal/opening":             {"internal/activity", "internal/client", "internal/engine", "internal/taskhub", "internal/taskhub/sealed", "internal/worker"},
	"durable/codec":                {},
	"durable/observe":              {},
	"durableotel":                  {"durable/observe"},
	"internal/tracing":             {"durable/observe", "internal/history", "internal/taskhub"},
	"Hello":                        {"durable"},
	"HttpStart":                    {"durable"},
	"internal/azurite":             {},
	"internal/pagecode":            {},
	"internal/storage/fake":        {},
	"internal/taskhub/taskhubtest": {"internal/history", "internal/taskhub"},
}

// free packages put others together; nothing of the product's core imports
// them.
var free = []string{".", "Orchestrator", "durable", "durabletest", "cmd/", "samples/", "bench", "bench/", "internal/azurite/azuritetest", "internal/taskhub/hubtest", "internal/e2e", "internal/e2e/", "internal/programs", "internal/programs/", "internal/simulation", "internal/simulation/", "internal/mutation", "durableotel/lab"}

// heavy are modules that only the named packages may import, so that they reach
// no app that does not ask for them.
var heavy = map[string][]string{
	"go.opentelemetry.io": {"durableotel", "durableotel/lab", "samples/telemetry"},
	"github.com/spf13":    {"cmd/durable"},
	"golang.org/x/tools":  {"cmd/durablevet", "cmd/durablevet/determinism", "cmd/durablevet/gclplugin"},
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity":      {"internal/storage", "durable", "samples/telemetry"},
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables":   {"internal/storage", "internal/taskhub/azure"},
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue": {"internal/storage", "internal/taskhub/azure", "durable"},
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob":  {"internal/storage", "internal/taskhub/azure"},
	"github.com/Azure/azure-sdk-for-go":                     {"internal/storage", "internal/taskhub/azure", "internal/taskhub/hubtest", "durable", "samples/telemetry"},
}

func TestImports(t *testing.T) {
	for pkg, imports := range productImports(t) {
		allowed, ruled := rules[pkg]
		if !ruled && !isFree(pkg) {
			t.Errorf("%s: there is no rule about what it may import; add one", pkg)
		}
		for _, imported := range imports {
			inner, ours := strings.CutPrefix(imported, module+"/")
			if ours && ruled && !slices.Contains(allowed, inner) {
				t.Errorf("%s imports %s; it may import %v", pkg, inner, allowed)
			}
			if ours && inner == "durable" && !isFree(pkg) && !slices.Contains(allowed, inner) {
				t.Errorf("%s imports the public package", pkg)
			}
			checkHeavy(t, pkg, imported)
		}
	}
}

func checkHeavy(t *testing.T, pkg, imported string) {
	t.Helper()
	longest := ""
	for name := range heavy {
		if strings.HasPrefix(imported, name) && len(name) > len(longest) {
			longest = name
		}
	}
	if longest != "" && !slices.Contains(heavy[longest], pkg) {
		t.Errorf("%s imports %s, which only %v may", pkg, imported, heavy[longest])
	}
}

func isFree(pkg string) bool {
	return slices.ContainsFunc(free, func(f string) bool {
		return pkg == f || strings.HasSuffix(f, "/") && strings.HasPrefix(pkg, f)
	})
}

// productImports are the imports of every package, its tests left out.
func productImports(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string]map[string]bool{}
	err := filepath.WalkDir("..", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && (name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") && name != "..") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		pkg := path.Clean(strings.TrimPrefix(filepath.ToSlash(filepath.Dir(file)), "../"))
		if pkg == ".." {
			pkg = "."
		}
		return addImports(found, pkg, file)
	})
	if err != nil || len(found) == 0 {
		t.Fatalf("%d packages found: %v", len(found), err)
	}
	out := map[string][]string{}
	for pkg, imports := range found {
		out[pkg] = slices.Sorted(maps.Keys(imports))
	}
	return out
}

func addImports(found map[string]map[string]bool, pkg, file string) error {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		return err
	}
	if found[pkg] == nil {
		found[pkg] = map[string]bool{}
	}
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		found[pkg][imported] = true
	}
	return nil
}
