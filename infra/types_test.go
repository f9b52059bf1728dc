package infra_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// intOrString are the fields of Kubernetes that take a number or a text, which the
// compiler's types give as a text alone.
var intOrString = regexp.MustCompile(`The property "(maxUnavailable|port|targetPort)" expected a value of type "(null \| )?string" but the provided value is of type "\d+"`)

// TestDeployFilesFitTheirTypes compiles the files of deploy as resources of Bicep, whose
// compiler knows the types of Azure and Kubernetes: a property that is misspelt, in the
// wrong place or of another type is found. It has no types for KEDA.
func TestDeployFilesFitTheirTypes(t *testing.T) {
	dir := t.TempDir()
	app := copied(t, dir, "container-app.yaml", "")
	resources := fmt.Sprintf(`var app = loadYamlContent('%s')
resource app_ 'Microsoft.App/containerApps@2024-03-01' = {
  name: 'app'
  location: app.location
  identity: { type: 'UserAssigned', userAssignedIdentities: app.identity.userAssignedIdentities }
  properties: app.properties
}
`, app)
	if problems := problemsOf(t, dir, "app.bicep", resources); len(problems) > 0 {
		t.Errorf("container-app.yaml:\n%s", strings.Join(problems, "\n"))
	}
	kubernetes := "@secure()\nparam config string\nextension kubernetes with { namespace: 'default', kubeConfig: config }\n"
	for kind, body := range map[string]string{"ServiceAccount": "", "Service": "spec: %[1]s.spec", "Deployment": "spec: %[1]s.spec"} {
		file := copied(t, dir, "kubernetes.yaml", kind)
		typed := map[string]string{"Deployment": "apps/Deployment@v1"}[kind]
		if typed == "" {
			typed = "core/" + kind + "@v1"
		}
		name := strings.ToLower(kind)
		if body != "" {
			body = fmt.Sprintf(body, name)
		}
		kubernetes += fmt.Sprintf("var %[1]s = loadYamlContent('%[2]s')\nresource %[1]s_ '%[3]s' = {\n  metadata: %[1]s.metadata\n  %[4]s\n}\n", name, file, typed, body)
	}
	if problems := problemsOf(t, dir, "kubernetes.bicep", kubernetes); len(problems) > 0 {
		t.Errorf("kubernetes.yaml:\n%s", strings.Join(problems, "\n"))
	}
	// What the compiler would not find it cannot check.
	if problems := problemsOf(t, dir, "wrong.bicep", strings.Replace(resources, "app.properties", "{ configuration: { activeRevisionMode: 'Single' } }", 1)); len(problems) == 0 {
		t.Error("the compiler accepts a property that is misspelt")
	}
}

// copied copies a file of deploy, or its document of a kind, and returns the copy's name.
func copied(t *testing.T, dir, name, kind string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	for document := range strings.SplitSeq(string(raw), "\n---\n") {
		if kind == "" || strings.Contains("\n"+document, "\nkind: "+kind+"\n") {
			name = kind + name
			if err := os.WriteFile(filepath.Join(dir, name), []byte(document), 0o600); err != nil {
				t.Fatal(err)
			}
			return name
		}
	}
	t.Fatalf("%s has no %s", name, kind)
	return ""
}

// problemsOf is what the compiler finds wrong.
func problemsOf(t *testing.T, dir, name, source string) (problems []string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), bicep(t), "build", file, "--stdout")
	var found bytes.Buffer
	cmd.Stderr = &found
	err := cmd.Run() // it fails where there is an error among the problems
	for line := range strings.Lines(found.String()) {
		if strings.Contains(line, " BCP") && !intOrString.MatchString(line) {
			problems = append(problems, strings.TrimSpace(line))
		}
	}
	if err != nil && len(problems) == 0 {
		t.Fatalf("bicep: %v\n%s", err, found.String())
	}
	return problems
}
