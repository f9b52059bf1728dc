package scaffold_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/scaffold"
	"go.yaml.in/yaml/v3"
)

// files makes an app and returns its files by their paths.
func files(t *testing.T, o scaffold.Options) map[string][]byte {
	t.Helper()
	list, err := scaffold.App(o)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range list {
		out[f.Path] = f.Content
	}
	return out
}

// An app has the pipeline and the place in Azure that were asked for, under its own
// name, and no other; its README speaks of them, and its module has the command that
// they run.
func TestDelivery(t *testing.T) {
	pipelines := map[string]string{"": "", "github": ".github/workflows/deploy.yml", "azure": "azure-pipelines.yml"}
	for ci, pipeline := range pipelines {
		for _, infra := range []bool{false, true} {
			o := shop
			o.CI, o.Infra = ci, infra
			app := files(t, o)
			for other, file := range pipelines {
				if _, there := app[file]; file != "" && there != (other == ci) {
					t.Errorf("--ci %s: %s is there: %v", ci, file, there)
				}
			}
			want := map[string]bool{"azure.yaml": infra, "infra/main.bicep": infra, "infra/main.parameters.json": infra, "infra/modules/app.bicep": infra, "infra/bicepconfig.json": infra}
			for file, wanted := range want {
				if _, there := app[file]; there != wanted {
					t.Errorf("--infra %v: %s is there: %v", infra, file, there)
				}
			}
			if tool := bytes.Contains(app["go.mod"], []byte("\ntool github.com/durable-go/functions/cmd/durable\n")); tool != (infra || ci != "") {
				t.Errorf("--ci %s, --infra %v: go.mod has the tool: %v", ci, infra, tool)
			}
			readme := string(app["README.md"])
			if strings.Contains(readme, "`infra/`") != infra || ci != "" && !strings.Contains(readme, "`"+pipeline+"`") {
				t.Errorf("--ci %s, --infra %v: README.md does not say so", ci, infra)
			}
		}
	}
}

// What comes from the product's own deployment is the app's: names, task hub, commands,
// and links to documentation that the app does not have.
func TestDeliveryIsTheApps(t *testing.T) {
	for _, ci := range scaffold.Pipelines() {
		o := shop
		o.CI, o.Infra = ci, true
		for name, content := range files(t, o) {
			text := string(content)
			for _, foreign := range []string{"GoHub", "durable-functions-go", "run ./cmd/durable", "copy it to", "for this repository, with"} {
				if strings.Contains(text, foreign) {
					t.Errorf("%s has %q", name, foreign)
				}
			}
			if strings.Contains(strings.ReplaceAll(text, "https://github.com/durable-go/functions/blob/main/docs/", ""), "docs/") {
				t.Errorf("%s has a link to a page that is not there", name)
			}
			var value any
			if ext := filepath.Ext(name); ext == ".yml" || ext == ".yaml" || ext == ".json" {
				if err := yaml.Unmarshal(content, &value); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		app := files(t, o)
		if !bytes.Contains(app["infra/main.bicep"], []byte("param taskHubName string = 'ShopHub'")) ||
			!bytes.Contains(app["infra/main.parameters.json"], []byte("${DURABLE_TASK_HUB=ShopHub}")) || !bytes.Contains(app["azure.yaml"], []byte("\nname: shop\n")) {
			t.Error("infra/ or azure.yaml have another name or task hub")
		}
	}
	own, err := os.ReadFile(filepath.Join(root(t), "azure.yaml"))
	template, err2 := os.ReadFile("skeleton/azure.yaml")
	if err != nil || err2 != nil || !bytes.Equal(own, template) {
		t.Errorf("azure.yaml of templates is not that of the lab: %v %v", err, err2)
	}
}

// devContainer is what the tests look at.
type devContainer struct {
	Name, Image, PostCreateCommand string
	Features                       map[string]map[string]any
	Mounts                         []string
	ForwardPorts                   []int
	Customizations                 struct {
		VSCode struct{ Extensions []string }
	}
}

func readContainer(t *testing.T, raw []byte) (c devContainer) {
	t.Helper()
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// The dev container of an app has the versions of the product's own, those of the
// editor's tasks, and the product at the version that the app requires.
func TestDevContainer(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(root(t), ".devcontainer", "devcontainer.json"))
	if err != nil {
		t.Fatal(err)
	}
	ours := readContainer(t, raw)
	o := shop
	o.Infra = true
	app := files(t, o)
	c := readContainer(t, app[".devcontainer/devcontainer.json"])
	if c.Name != "shop" || c.Image != ours.Image || !slices.Equal(c.ForwardPorts, ours.ForwardPorts) || len(c.Features) != len(ours.Features) {
		t.Errorf("the container is %+v, the product's %+v", c, ours)
	}
	for name, options := range ours.Features {
		if got, there := c.Features[name]; !there || !maps.Equal(got, options) {
			t.Errorf("feature %s: %v, want %v", name, got, options)
		}
	}
	for _, word := range strings.Fields(c.PostCreateCommand) {
		known := ours.PostCreateCommand + " " + string(app[".vscode/tasks.json"]) + " github.com/durable-go/functions/cmd/durable@v1.2.3"
		if strings.Contains(word, "@") && !strings.Contains(known, word) {
			t.Errorf("%s is another version than that of the product's container, of the tasks, or of go.mod", word)
		}
	}
	for _, extension := range ours.Customizations.VSCode.Extensions {
		if !slices.Contains(c.Customizations.VSCode.Extensions, extension) {
			t.Errorf("the extension %s is missing", extension)
		}
	}
	o.Version, o.Replace = "", "/src/functions"
	c = readContainer(t, files(t, o)[".devcontainer/devcontainer.json"])
	if !slices.Equal(c.Mounts, []string{"source=/src/functions,target=/src/functions,type=bind"}) || !strings.HasSuffix(c.PostCreateCommand, "cd '/src/functions' && go install ./cmd/durable") {
		t.Errorf("an app with a checkout: %+v", c)
	}
}
