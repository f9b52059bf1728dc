package deploy_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// The dev container installs the versions of the tools that CI checks with.
func TestDevContainer(t *testing.T) {
	var container struct{ PostCreateCommand string }
	if err := json.Unmarshal(read(t, "../.devcontainer/devcontainer.json"), &container); err != nil {
		t.Fatal(err)
	}
	versions := regexp.MustCompile(`(?m)^(golangci|dlv)_version=(\S+)$`).FindAllStringSubmatch(string(read(t, "../.ci/run")), -1)
	if len(versions) != 2 {
		t.Fatalf("found the versions %v in .ci/run", versions)
	}
	for _, v := range versions {
		if !strings.Contains(container.PostCreateCommand, "@"+v[2]) {
			t.Errorf("the dev container does not install %s %s: %s", v[1], v[2], container.PostCreateCommand)
		}
	}
}

// GitHub refuses a form whose elements have no id or no label.
func TestIssueForms(t *testing.T) {
	for _, file := range []string{"bug.yml", "feature.yml"} {
		form := documents(t, "../.github/ISSUE_TEMPLATE/"+file)[0]
		ids := map[any]bool{}
		elements, _ := form["body"].([]any)
		for _, element := range elements {
			if at(element, "type") == "markdown" {
				continue
			}
			id := at(element, "id")
			if id == nil || ids[id] || at(element, "attributes", "label") == nil {
				t.Errorf("%s: an element has no id of its own, or no label: %v", file, element)
			}
			ids[id] = true
		}
		if form["name"] == nil || form["description"] == nil || len(ids) == 0 {
			t.Errorf("%s has no name, no description or no elements", file)
		}
	}
}

// Dependabot looks at folders that have what it is to update.
func TestDependabot(t *testing.T) {
	manifests := map[string]string{"gomod": "go.mod", "npm": "package.json", "github-actions": ".github/workflows/ci.yml", "docker": "standalone.Dockerfile"}
	updates, _ := documents(t, "../.github/dependabot.yml")[0]["updates"].([]any)
	if len(updates) != len(manifests) {
		t.Errorf("%d kinds of updates, want %d", len(updates), len(manifests))
	}
	for _, update := range updates {
		kind, _ := at(update, "package-ecosystem").(string)
		folders, _ := at(update, "directories").([]any)
		if folder := at(update, "directory"); folder != nil {
			folders = append(folders, folder)
		}
		for _, folder := range folders {
			read(t, ".."+strings.TrimSuffix(folder.(string), "/")+"/"+manifests[kind])
		}
	}
}
