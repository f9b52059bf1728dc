package scaffold

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/durable-go/functions/deploy"
	"github.com/durable-go/functions/infra"
)

// pipeline is a file of the product that apps may have: its name in deploy/ and in the
// app, and its first words, which are for those who copy it.
type pipeline struct{ from, to, head string }

var pipelines = map[string]pipeline{
	"github": {"github-actions.yml", ".github/workflows/deploy.yml", "# GitHub Actions for an app: copy it to .github/workflows/deploy.yml."},
	"azure":  {"azure-pipelines.yml", "azure-pipelines.yml", "# Azure Pipelines for an app: copy it to azure-pipelines.yml."},
}

// Pipelines lists the pipelines that an app can have.
func Pipelines() []string { return slices.Sorted(maps.Keys(pipelines)) }

// tool is the command that pipelines and azd run.
const tool = product + "/cmd/durable"

// delivery are the files with which an app is developed in a container, checked,
// deployed, and given what it needs in Azure.
func (o Options) delivery() ([]File, error) {
	container, err := o.devContainer()
	if err != nil {
		return nil, err
	}
	files := []File{{".devcontainer/devcontainer.json", container}}
	if p, ok := pipelines[o.CI]; ok {
		content, err := deploy.Files.ReadFile(p.from)
		if err != nil {
			return nil, err
		}
		text := strings.Replace(string(content), p.head, "# Checks each change of this app, and deploys what is on main.", 1)
		files = append(files, File{p.to, o.elsewhere(text)})
	}
	if !o.Infra {
		return files, nil
	}
	azd, err := skeleton.ReadFile("skeleton/azure.yaml")
	if err != nil {
		return nil, err
	}
	files = append(files, File{"azure.yaml", o.elsewhere(string(azd))})
	err = fs.WalkDir(infra.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := infra.Files.ReadFile(name)
		files = append(files, File{"infra/" + name, o.elsewhere(string(content))})
		return err
	})
	return files, err
}

// labName and labHub are how the lab of the product is called, in files that are its
// own.
const labName, labHub = "durable-functions-go", "GoHub"

// elsewhere makes the text of a file of the product one of the app.
func (o Options) elsewhere(text string) []byte {
	return []byte(strings.NewReplacer(
		"name: "+labName, "name: "+path.Base(o.Module),
		"go run ./cmd/durable ", "go run "+tool+" ",
		labHub, o.Hub,
		"A Function App for this repository, with", "The Function App, with",
		" docs/", " https://"+product+"/blob/main/docs/",
		"// docs/", "// https://"+product+"/blob/main/docs/",
	).Replace(text))
}

// container is a dev container; see https://containers.dev/implementors/json_reference.
type container struct {
	Name              string                    `json:"name"`
	Image             string                    `json:"image"`
	Features          map[string]map[string]any `json:"features"`
	Mounts            []string                  `json:"mounts,omitempty"`
	PostCreateCommand string                    `json:"postCreateCommand"`
	ForwardPorts      []int                     `json:"forwardPorts"`
	PortsAttributes   map[string]port           `json:"portsAttributes"`
	Customizations    map[string]any            `json:"customizations"`
}

type port struct {
	Label         string `json:"label"`
	OnAutoForward string `json:"onAutoForward,omitempty"`
}

// What the container has is what the tasks of the editor use; the versions are those of
// the product's own dev container.
const (
	goImage      = "mcr.microsoft.com/devcontainers/go:1.26"
	nodeVersion  = "22"
	coreTools    = "azure-functions-core-tools@4"
	azurite      = "azurite@3.35.0"
	delve        = "github.com/go-delve/delve/cmd/dlv@v1.27.2"
	hiddenPort   = "ignore"
	nodeFeature  = "ghcr.io/devcontainers/features/node:1"
	azureFeature = "ghcr.io/devcontainers/features/azure-cli:1"
	azdFeature   = "ghcr.io/azure/azure-dev/azd:latest"
)

// devContainer is a container with Go, Node, Azurite, the Functions host, a debugger and
// the command durable.
func (o Options) devContainer() ([]byte, error) {
	extensions := []string{"golang.go", "ms-azuretools.vscode-azurefunctions", "Azurite.azurite"}
	c := container{
		Name: path.Base(o.Module), Image: goImage,
		Features:     map[string]map[string]any{nodeFeature: {"version": nodeVersion}},
		ForwardPorts: []int{7071, 10000, 10001, 10002},
		PortsAttributes: map[string]port{
			"7071": {Label: "app"}, "10000": {"Azurite: blobs", hiddenPort}, "10001": {"Azurite: queues", hiddenPort}, "10002": {"Azurite: tables", hiddenPort},
		},
	}
	install := []string{"npm install --global --unsafe-perm true " + coreTools + " " + azurite, "go install " + delve}
	switch {
	case o.Replace == "":
		install = append(install, "go install "+tool+"@"+o.Version)
	case path.IsAbs(o.Replace): // the checkout has the same path in the container
		c.Mounts = []string{fmt.Sprintf("source=%s,target=%s,type=bind", o.Replace, o.Replace)}
		install = append(install, fmt.Sprintf("cd '%s' && go install ./cmd/durable", strings.ReplaceAll(o.Replace, "'", `'\''`)))
	}
	if o.Infra {
		c.Features[azureFeature] = map[string]any{"installBicep": true}
		c.Features[azdFeature] = map[string]any{}
		extensions = append(extensions, "ms-azuretools.azure-dev", "ms-azuretools.vscode-bicep")
	}
	c.PostCreateCommand = strings.Join(install, " && ")
	c.Customizations = map[string]any{"vscode": map[string]any{"extensions": extensions}}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(c)
	return []byte(b.String()), err
}

// deliveryRows are the lines of README.md about these files.
func (o Options) deliveryRows() string {
	rows := "| `.devcontainer/` | a container with all that the app needs: *Dev Containers: Reopen in Container* |\n"
	if p, ok := pipelines[o.CI]; ok {
		rows += "| `" + p.to + "` | checks each change and deploys; its first lines say what to set up once |\n"
	}
	if o.Infra {
		rows += "| `infra/`, `azure.yaml` | what the app needs in Azure: `azd up` makes it, and deploys |\n"
	}
	return rows
}
