// Package scaffold writes the code that a developer of an app would begin with:
// whole apps from templates, and functions for an app that is there. What it writes
// is decided without touching the disk; see [App], [Function] and [Write].
package scaffold

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/durable-go/functions/samples"
)

// product is the module path of the product, sampleRoot that of the samples.
const (
	product    = "github.com/durable-go/functions"
	sampleRoot = product + "/samples/"
)

// Template is an app to begin with.
type Template struct{ Name, Summary string }

// Empty is the template without functions of its own.
const Empty = "empty"

// templates have, but for [Empty], the names of samples.
var templates = []Template{
	{"hello", "three activities, one after the other"},
	{"order", "check the inventory, charge the customer, create the shipment, and undo it all"},
	{"fan-out", "many activities at a time, with limits, partial failure and progress"},
	{"approval", "people who decide, with a timeout, a deputy and a signed link"},
	{"saga", "steps that are undone where a later one fails"},
	{"monitor", "look at something from time to time, until it is done"},
	{"entity", "small pieces of state that sum up what many send"},
	{Empty, "an HTTP starter and the management API, no functions yet"},
}

// Templates lists the templates, the simplest first.
func Templates() []Template { return slices.Clone(templates) }

// Options say which app is made.
type Options struct {
	// Template is the name of one of [Templates].
	Template string
	// Module is the app's module path.
	Module string
	// Hub is the name of its task hub; see [HubName].
	Hub string
	// Version is the version of the product that the app requires. Required without
	// Replace.
	Version string
	// Replace is the folder of a checkout of the product that the app uses instead
	// of a published version, absolute or relative to the app.
	Replace string
	// CI is the pipeline that the app gets, one of [Pipelines]; "": none.
	CI string
	// Infra adds what describes the app's place in Azure, for azd.
	Infra bool
	// Sums is the go.sum of that checkout, with which the go command need not ask the
	// network for checksums. nil: the app has no go.sum yet.
	Sums []byte
}

// File is a file to be written: its path, with slashes, from the app's folder, and
// what is in it.
type File struct {
	Path    string
	Content []byte
}

//go:embed skeleton
var skeleton embed.FS

// App returns the files of an app, sorted by path. It fails for options that make no
// app, and says what is wrong with them.
func App(o Options) ([]File, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	files, err := o.common()
	if err != nil {
		return nil, err
	}
	var own []File
	if o.Template == Empty {
		own, err = o.tree(skeleton, "skeleton/empty")
	} else {
		own, err = o.tree(samples.Files, o.Template)
	}
	if err != nil {
		return nil, err
	}
	for i := range own {
		if own[i].Path == "README.md" {
			own[i].Content = append(own[i].Content, o.readmeTail()...)
		}
	}
	files = append(files, own...)
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return files, nil
}

func (o Options) check() error {
	if !slices.ContainsFunc(templates, func(t Template) bool { return t.Name == o.Template }) {
		return fmt.Errorf("there is no template %q; there are %s", o.Template, templateNames())
	}
	if o.Version == "" && o.Replace == "" {
		return fmt.Errorf("the version of %s is not known; give the folder of a checkout", product)
	}
	if o.CI != "" && !slices.Contains(Pipelines(), o.CI) {
		return fmt.Errorf("there is no pipeline %q; there are %s", o.CI, strings.Join(Pipelines(), ", "))
	}
	if err := checkModule(o.Module); err != nil {
		return err
	}
	return checkHub(o.Hub)
}

func templateNames() string {
	var names []string
	for _, t := range templates {
		names = append(names, t.Name)
	}
	return strings.Join(names, ", ")
}

// common are the files that every app has and no sample.
func (o Options) common() ([]File, error) {
	files := []File{{"go.mod", o.goMod()}}
	if o.Sums != nil {
		files = append(files, File{"go.sum", o.Sums})
	}
	for from, to := range map[string]string{
		"gitignore":  ".gitignore",
		"funcignore": ".funcignore",
	} {
		content, err := skeleton.ReadFile("skeleton/" + from)
		if err != nil {
			return nil, err
		}
		files = append(files, File{to, content})
	}
	delivery, err := o.delivery()
	if err != nil {
		return nil, err
	}
	files = append(files, delivery...)
	editor, err := o.tree(skeleton, "skeleton/vscode")
	for _, f := range editor {
		files = append(files, File{".vscode/" + f.Path, f.Content})
	}
	return files, err
}

// goMod is the app's go.mod, before "go mod tidy" adds what the product needs.
func (o Options) goMod() []byte {
	var b bytes.Buffer
	version := cmp.Or(o.Version, "v0.0.0")
	fmt.Fprintf(&b, "module %s\n\ngo 1.25.0\n\nrequire %s %s\n", o.Module, product, version)
	if o.CI != "" || o.Infra {
		fmt.Fprintf(&b, "\ntool %s\n", tool)
	}
	if o.Replace != "" {
		fmt.Fprintf(&b, "\nreplace %s => %s\n", product, quoteModPath(o.Replace))
	}
	return b.Bytes()
}

// tree returns the files below a folder, rewritten for the app.
func (o Options) tree(from fs.FS, folder string) (files []File, err error) {
	hub, err := hubOf(from, folder)
	if err != nil {
		return nil, err
	}
	err = fs.WalkDir(from, folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		rel := strings.TrimSuffix(strings.TrimPrefix(name, folder+"/"), ".txt")
		content, err = o.rewrite(rel, content, hub)
		files = append(files, File{rel, content})
		return err
	})
	return files, err
}

var hubSetting = regexp.MustCompile(`"hubName": "([A-Za-z0-9]+)"`)

// hubOf is the task hub of the app in a folder; "" where there is none.
func hubOf(from fs.FS, folder string) (string, error) {
	raw, err := fs.ReadFile(from, path.Join(folder, "host.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil // not an app: settings of the editor
	}
	if err != nil {
		return "", err
	}
	m := hubSetting.FindSubmatch(raw)
	if m == nil {
		return "", fmt.Errorf("%s/host.json has no hubName", folder)
	}
	return string(m[1]), nil
}

// rewrite makes a sample's file one of the app: under its module path, with its task
// hub, and with the commands that are typed in its own folder.
func (o Options) rewrite(name string, content []byte, hub string) ([]byte, error) {
	text := string(content)
	if hub != "" && path.Ext(name) == ".json" {
		text = strings.ReplaceAll(text, `"`+hub+`"`, `"`+o.Hub+`"`)
	}
	sample := "samples/" + o.Template
	text = strings.NewReplacer(
		`"`+sampleRoot+o.Template+`/`, `"`+o.Module+`/`,
		"go run ./cmd/durable start "+sample, "durable start",
		"go test ./"+sample+"/...", "go test ./...",
	).Replace(text)
	if path.Ext(name) != ".go" {
		return []byte(text), nil
	}
	formatted, err := format.Source([]byte(text)) // imports are sorted by their new paths
	if err != nil {
		return nil, fmt.Errorf("formatting %s: %w", name, err)
	}
	return formatted, nil
}

// readmeTail is the part of README.md that is the same for all apps.
func (o Options) readmeTail() []byte {
	raw, err := skeleton.ReadFile("skeleton/README-tail.md")
	if err != nil {
		panic(err) // it is embedded
	}
	raw = append(raw, o.deliveryRows()...)
	return bytes.ReplaceAll(raw, []byte("HUB"), []byte(o.Hub))
}
