//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"
	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/e2e/host"
	"github.com/durable-go/functions/internal/scaffold"
)

// Every sample does on the host what its README shows: each curl line works, and its
// answer has what is shown below it. A sample that is a template is generated first, so
// that the app is the one that "durable init" makes.
func TestSamples(t *testing.T) {
	host.NeedFunc(t)
	root, err := host.Root()
	if err != nil {
		t.Fatal(err)
	}
	var templates []string
	for _, template := range scaffold.Templates() {
		templates = append(templates, template.Name)
		t.Run(template.Name, func(t *testing.T) { runReadme(t, generated(t, root, template.Name)) })
	}
	folders, err := filepath.Glob(filepath.Join(root, "samples", "*", "README.md"))
	if err != nil || len(folders) < len(templates) {
		t.Fatalf("%v %v", folders, err)
	}
	for _, readme := range folders {
		dir := filepath.Dir(readme)
		name := filepath.Base(dir)
		if slices.Contains(templates, name) || name == "telemetry" { // a module of its own, with tests of its own
			continue
		}
		t.Run(name, func(t *testing.T) { runReadme(t, dir) })
	}
}

// generated is the folder of an app that is made from a template. The empty one gets
// the functions that its README speaks of.
func generated(t *testing.T, root, template string) string {
	t.Helper()
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := scaffold.App(scaffold.Options{Template: template, Module: "example.com/shop", Hub: "ShopHub", Replace: root, Sums: sums})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "shop")
	if err := scaffold.Write(dir, files); err != nil {
		t.Fatal(err)
	}
	if template == scaffold.Empty {
		for _, f := range []scaffold.Function{{Kind: scaffold.Activity, Name: "SayHello"}, {Kind: scaffold.Orchestrator, Name: "Greet"}} {
			a, err := scaffold.Add(os.DirFS(dir), "example.com/shop", f)
			if err == nil {
				err = a.Apply(dir)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	tidy := exec.CommandContext(bounded(t), "go", "mod", "tidy")
	tidy.Dir = dir
	tidy.Env = append(os.Environ(), "GOPROXY=off", "GOWORK=off")
	if out, err := tidy.CombinedOutput(); err != nil {
		t.Fatalf("go mod tidy: %v\n%s", err, out)
	}
	return dir
}

// block finds the blocks of code of a page that have a language.
var block = regexp.MustCompile("(?ms)^```(sh|json)\n(.*?)^```")

// runReadme runs the app in a folder and the curl lines of its README.
func runReadme(t *testing.T, dir string) {
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Base(dir) == "import" {
		upload(t)
	}
	h := host.Run(t, host.Options{App: dir, Storage: azuritetest.Server(t).ConnectionString(), Hub: azuritetest.HubName()})
	blocks := block.FindAllStringSubmatch(string(readme), -1)
	ran := 0
	for i, b := range blocks {
		if b[1] != "sh" {
			continue
		}
		want := ""
		if i+1 < len(blocks) && blocks[i+1][1] == "json" {
			want = blocks[i+1][2]
		}
		ran++
		curl(t, h, b[2], want)
	}
	if ran == 0 {
		t.Error("README.md has no curl line")
	}
}

// upload does what the README of the import does with the Azure CLI: it uploads a file
// and sends a message with a signed URL of it. Twice, as a queue may.
func upload(t *testing.T) {
	t.Helper()
	ctx, connection := bounded(t), azuritetest.Server(t).ConnectionString()
	blobs, err := azblob.NewClientFromConnectionString(connection, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := blobs.CreateContainer(ctx, "files", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := blobs.UploadBuffer(ctx, "files", "customers.csv", []byte("name,city\nann,Rome\nbob,Oslo\n"), nil); err != nil {
		t.Fatal(err)
	}
	blob := blobs.ServiceClient().NewContainerClient("files").NewBlobClient("customers.csv")
	url, err := blob.GetSASURL(sas.BlobPermissions{Read: true}, time.Now().Add(time.Hour), nil)
	if err != nil {
		t.Fatal(err)
	}
	queue, err := azqueue.NewQueueClientFromConnectionString(connection, "uploads", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := queue.Create(ctx, nil); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := queue.EnqueueMessage(ctx, fmt.Sprintf(`{"id": "7", "url": %q}`, url), nil); err != nil {
			t.Fatal(err)
		}
	}
}

// curl runs a line of a README until its answer has what is wanted. A line that changes
// something runs once.
func curl(t *testing.T, h *host.Host, line, want string) {
	t.Helper()
	line = strings.ReplaceAll(line, "http://localhost:7071", h.URL)
	once := strings.Contains(line, "-X ")
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		cmd := exec.CommandContext(bounded(t), "sh", "-c", strings.Replace(line, "curl ", "curl -sS --fail-with-body ", 1))
		out, err := cmd.CombinedOutput()
		problem := ""
		if err != nil {
			problem = err.Error()
		} else if want != "" {
			problem = missing(t, want, out)
		}
		if problem == "" {
			return
		}
		if once || time.Now().After(deadline) {
			t.Fatalf("%s%s\n%s", line, out, problem)
		}
	}
}

// missing says what an answer does not have of what is shown; "" where it has all.
func missing(t *testing.T, shown string, answer []byte) string {
	t.Helper()
	want := decode[any](t, []byte(shown))
	var got any
	if err := json.Unmarshal(answer, &got); err != nil {
		return err.Error()
	}
	return lacks("", want, got)
}

// lacks says where a value lacks what another one has: members that are not shown do
// not count.
func lacks(at string, want, got any) string {
	members, ok := want.(map[string]any)
	if !ok {
		if items, isList := want.([]any); isList {
			list, _ := got.([]any)
			if len(list) != len(items) {
				return fmt.Sprintf("%s is %v, README.md shows %v", at, got, want)
			}
			for i := range items {
				if problem := lacks(fmt.Sprintf("%s[%d]", at, i), items[i], list[i]); problem != "" {
					return problem
				}
			}
			return ""
		}
		if !reflect.DeepEqual(want, got) {
			return fmt.Sprintf("%s is %v, README.md shows %v", at, got, want)
		}
		return ""
	}
	object, _ := got.(map[string]any)
	for name, member := range members {
		if problem := lacks(at+"."+name, member, object[name]); problem != "" {
			return problem
		}
	}
	return ""
}
