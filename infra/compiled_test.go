package infra_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
)

// bicep returns the path of the Bicep compiler: DURABLE_BICEP, or the one on the
// PATH.
func bicep(t *testing.T) string {
	t.Helper()
	name := os.Getenv("DURABLE_BICEP")
	if name == "" {
		name = "bicep"
	}
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if azuritetest.Required() {
		t.Fatalf("bicep: %v", err)
	}
	t.Skipf("the Bicep compiler is needed for this test: %v", err)
	return ""
}

// compiler runs the Bicep compiler, which must have nothing to warn about.
func compiler(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), bicep(t), args...)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil || problems.Len() > 0 {
		t.Fatalf("bicep %v: %v\n%s%s", args, err, problems.String(), out.String())
	}
	return out.Bytes()
}

// withoutGenerator removes what differs between versions of the compiler alone.
func withoutGenerator(value any) any {
	switch v := value.(type) {
	case map[string]any:
		if meta, ok := v["metadata"].(map[string]any); ok {
			delete(meta, "_generator")
		}
		for key, inner := range v {
			v[key] = withoutGenerator(inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = withoutGenerator(inner)
		}
	}
	return value
}

func TestCompiledTemplateIsThatOfItsSource(t *testing.T) {
	var want, got any
	if err := json.Unmarshal(compiler(t, "build", "main.bicep", "--stdout"), &want); err != nil {
		t.Fatal(err)
	}
	read(t, "main.json", &got)
	if !reflect.DeepEqual(withoutGenerator(got), withoutGenerator(want)) {
		t.Error("main.json is not what main.bicep compiles to: run infra/compile")
	}
}

func TestSnapshotsAreThoseOfTheSource(t *testing.T) {
	const none = "00000000-0000-0000-0000-000000000000"
	for _, name := range environments {
		compiler(t, "snapshot", filepath.Join("testdata", name+".bicepparam"), "--mode", "validate",
			"--subscription-id", none, "--tenant-id", none, "--location", "westeurope")
	}
}

// The parameters that azd fills in are parameters of the template, and all it
// requires is there.
func TestParametersFile(t *testing.T) {
	var template struct {
		Parameters map[string]struct{ DefaultValue any }
	}
	var file struct{ Parameters map[string]any }
	read(t, "main.json", &template)
	read(t, "main.parameters.json", &file)
	for name, p := range template.Parameters {
		if _, given := file.Parameters[name]; p.DefaultValue == nil && !given {
			t.Errorf("main.parameters.json has no %s", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(file.Parameters)) {
		if _, known := template.Parameters[name]; !known {
			t.Errorf("the template has no parameter %s", name)
		}
	}
}
