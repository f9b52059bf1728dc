// Package deploy_test checks the examples of deployment: that they parse, that they
// agree with the app, and that nothing in them needs a secret of Azure.
package deploy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// documents reads a YAML file; a key that is there twice is an error.
func documents(t *testing.T, file string) (all []map[string]any) {
	t.Helper()
	decoder := yaml.NewDecoder(bytes.NewReader(read(t, file)))
	for {
		var d map[string]any
		err := decoder.Decode(&d)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, d)
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// at returns the value under a path of names and numbers; nil where there is none.
func at(value any, path ...any) any {
	for _, step := range path {
		switch key := step.(type) {
		case string:
			object, _ := value.(map[string]any)
			value = object[key]
		case int:
			list, _ := value.([]any)
			if key >= len(list) {
				return nil
			}
			value = list[key]
		}
	}
	return value
}

func expect(t *testing.T, what string, got, want any) {
	t.Helper()
	g, _ := json.Marshal(got)
	w, _ := json.Marshal(want)
	if string(g) != string(w) {
		t.Errorf("%s is %s, want %s", what, g, w)
	}
}

// hub is the task hub that host.json names.
func hub(t *testing.T) string {
	t.Helper()
	var host struct {
		Extensions struct{ DurableTask struct{ HubName string } }
	}
	if err := json.Unmarshal(read(t, "../host.json"), &host); err != nil {
		t.Fatal(err)
	}
	return host.Extensions.DurableTask.HubName
}

func TestYAMLParses(t *testing.T) {
	var files []string
	for _, pattern := range []string{"*.yaml", "*.yml", "../*.yaml", "../*.yml", "../.github/*.yml", "../.github/*/*.yml"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) < 6 {
		t.Fatalf("found only %v", files)
	}
	for _, file := range files {
		if len(documents(t, file)) == 0 {
			t.Errorf("%s is empty", file)
		}
	}
}

// azd takes what pack makes, and finds the template and the app by their names.
func TestAzureYAML(t *testing.T) {
	d := documents(t, "../azure.yaml")[0]
	service := at(d, "services", "api")
	expect(t, "host", at(service, "host"), "function")
	expect(t, "language", at(service, "language"), "custom")
	dist, _ := at(service, "dist").(string)
	for _, system := range []string{"posix", "windows"} {
		run, _ := at(service, "hooks", "prepackage", system, "run").(string)
		if !strings.HasSuffix(run, " pack --out "+dist) || dist == "" {
			t.Errorf("on %s the hook runs %q, and azd deploys %q", system, run, dist)
		}
	}
	path, _ := at(d, "infra", "path").(string)
	module, _ := at(d, "infra", "module").(string)
	for _, end := range []string{".bicep", ".parameters.json"} {
		read(t, filepath.Join("..", path, module+end))
	}
}

// container is what the two container platforms say of the app, in one form.
type container struct {
	environment map[string]any
	port        any
	alive       any
	ready       any
	grace       any
	rules       []map[string]any
}

func kubernetes(t *testing.T) (c container) {
	t.Helper()
	for _, d := range documents(t, "kubernetes.yaml") {
		pod := at(d, "spec", "template", "spec")
		main := at(pod, "containers", 0)
		switch at(d, "kind") {
		case "Deployment":
			c.environment = environment(main)
			c.port, c.grace = at(main, "ports", 0, "containerPort"), at(pod, "terminationGracePeriodSeconds")
			c.alive, c.ready = at(main, "livenessProbe", "httpGet"), at(main, "readinessProbe", "httpGet")
			expect(t, "runAsNonRoot", at(pod, "securityContext", "runAsNonRoot"), true)
		case "ScaledObject":
			expect(t, "minReplicaCount", at(d, "spec", "minReplicaCount"), 1)
			for _, trigger := range at(d, "spec", "triggers").([]any) {
				expect(t, "type of the trigger", at(trigger, "type"), "azure-queue")
				c.rules = append(c.rules, at(trigger, "metadata").(map[string]any))
			}
		}
	}
	return c
}

func containerApp(t *testing.T) (c container) {
	t.Helper()
	template := at(documents(t, "container-app.yaml")[0], "properties", "template")
	main := at(template, "containers", 0)
	c.environment = environment(main)
	c.port = at(documents(t, "container-app.yaml")[0], "properties", "configuration", "ingress", "targetPort")
	c.grace = at(template, "terminationGracePeriodSeconds")
	c.alive, c.ready = at(main, "probes", 0, "httpGet"), at(main, "probes", 1, "httpGet")
	expect(t, "minReplicas", at(template, "scale", "minReplicas"), 1)
	for _, rule := range at(template, "scale", "rules").([]any) {
		expect(t, "type of the rule", at(rule, "custom", "type"), "azure-queue")
		c.rules = append(c.rules, at(rule, "custom", "metadata").(map[string]any))
	}
	return c
}

// environment returns a container's variables with the values that are written down.
func environment(main any) map[string]any {
	out := map[string]any{}
	list, _ := at(main, "env").([]any)
	for _, variable := range list {
		name, _ := at(variable, "name").(string)
		out[name] = at(variable, "value")
	}
	return out
}

func TestContainerPlatforms(t *testing.T) {
	name := hub(t)
	for platform, c := range map[string]container{"Kubernetes": kubernetes(t), "Container Apps": containerApp(t)} {
		t.Run(platform, func(t *testing.T) {
			expect(t, "port", c.port, 8080)
			expect(t, "liveness", c.alive, map[string]any{"path": "/healthz", "port": 8080})
			expect(t, "readiness", c.ready, map[string]any{"path": "/readyz", "port": 8080})
			if grace, _ := c.grace.(int); grace < 30 {
				t.Errorf("the platform kills after %v seconds; the app needs nearly 30", c.grace)
			}
			expect(t, "TaskHub", c.environment["TaskHub"], name)
			if value, there := c.environment["DURABLE_FUNCTION_KEY"]; !there || value != nil {
				t.Errorf("the function key is %v, want it from a secret", value)
			}
			var queues []any
			for _, rule := range c.rules {
				queues = append(queues, rule["queueName"])
				expect(t, "queueLengthStrategy", rule["queueLengthStrategy"], "visibleonly")
			}
			expect(t, "queues", queues, []string{strings.ToLower(name) + "-control-00", strings.ToLower(name) + "-workitems"})
		})
	}
}

// The images get exactly what pack makes, and the standalone one serves where the
// platforms ask, without root.
func TestDockerfiles(t *testing.T) {
	for file, wants := range map[string][]string{
		"functions.Dockerfile":  {"FROM mcr.microsoft.com/azure-functions/dotnet:4\n", "COPY --from=build /package /home/site/wwwroot\n", "FUNCTIONS_WORKER_RUNTIME=custom\n"},
		"standalone.Dockerfile": {"FROM gcr.io/distroless/static-debian12:nonroot\n", "USER nonroot\n", "DURABLE_STANDALONE=0.0.0.0:8080\n", "EXPOSE 8080\n", "ENTRYPOINT [\"/app/bin/handler\"]\n"},
	} {
		text := string(read(t, file))
		for _, want := range append(wants, "cmd/durable pack --arch ${TARGETARCH} --out /package\n") {
			if !strings.Contains(text, want) {
				t.Errorf("%s has no %q", file, want)
			}
		}
	}
}

// job is a job of GitHub Actions.
type job struct {
	RunsOn      string `yaml:"runs-on"`
	Needs       string
	Permissions map[string]string
	Steps       []struct{ Name, Uses, Run string }
}

func TestWorkflows(t *testing.T) {
	action := regexp.MustCompile(`^[a-z-]+/[a-z-]+@v\d+$`)
	for _, file := range []string{"github-actions.yml", "../.github/workflows/ci.yml"} {
		var workflow struct {
			On          any
			Permissions map[string]string
			Jobs        map[string]job
		}
		if err := yaml.Unmarshal(read(t, file), &workflow); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if workflow.On == nil || len(workflow.Jobs) == 0 {
			t.Errorf("%s runs never, or nothing", file)
		}
		expect(t, file+": permissions", workflow.Permissions, map[string]string{"contents": "read"})
		for name, j := range workflow.Jobs {
			if _, there := workflow.Jobs[j.Needs]; j.Needs != "" && !there || j.RunsOn == "" || len(j.Steps) == 0 {
				t.Errorf("%s: job %s is not whole: %+v", file, name, j)
			}
			for _, step := range j.Steps {
				if (step.Uses == "") == (step.Run == "") || step.Uses != "" && !action.MatchString(step.Uses) {
					t.Errorf("%s: job %s: step %+v wants a pinned action or a command", file, name, step)
				}
			}
		}
	}
}

// Both pipelines check, pack once, and deploy what was checked without a secret.
func TestPipelinesDeployWithFederatedIdentity(t *testing.T) {
	const command = "go run github.com/durable-go/functions/cmd/durable "
	for file, federated := range map[string]string{
		"github-actions.yml":  "id-token: write",
		"azure-pipelines.yml": "azureSubscription: azure",
	} {
		text := string(read(t, file))
		for _, want := range []string{"go vet ./...", command + "vet ./...", "go test ./...", command + "pack --out ", "deployment source config-zip", federated} {
			if !strings.Contains(text, want) {
				t.Errorf("%s has no %q", file, want)
			}
		}
		if found := regexp.MustCompile(`secrets\.|(?i)publish-?profile|client-secret`).FindString(text); found != "" {
			t.Errorf("%s needs a secret: %s", file, found)
		}
	}
}

// Stages and jobs of the other pipeline are whole.
func TestAzurePipeline(t *testing.T) {
	var pipeline struct {
		Stages []struct {
			Stage     string
			DependsOn string `yaml:"dependsOn"`
			Jobs      []map[string]any
		}
	}
	if err := yaml.Unmarshal(read(t, "azure-pipelines.yml"), &pipeline); err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, s := range pipeline.Stages {
		if s.DependsOn != "" && !slices.Contains(seen, s.DependsOn) {
			t.Errorf("stage %s depends on %s, which is not before it", s.Stage, s.DependsOn)
		}
		seen = append(seen, s.Stage)
		for _, j := range s.Jobs {
			steps := at(j, "steps")
			if j["deployment"] != nil {
				steps = at(j, "strategy", "runOnce", "deploy", "steps")
			}
			if list, _ := steps.([]any); len(list) == 0 {
				t.Errorf("stage %s has a job without steps: %v", s.Stage, j)
			}
		}
	}
	expect(t, "stages", seen, []string{"check", "deploy"})
}
