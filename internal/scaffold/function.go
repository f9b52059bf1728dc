package scaffold

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"go/format"
	"io/fs"
	"path"
	"slices"
	"strings"
	"text/template"
)

// Function says which function is added to an app.
type Function struct {
	Kind Kind
	// Name is that of the function and of its folder.
	Name string
	// Binding is what triggers a function of the kind [Trigger], one of
	// [BindingKinds]; "" is a queue.
	Binding string
}

// Addition is what adding a function to an app changes.
type Addition struct {
	// Files are new.
	Files []File
	// Main is the changed main.go.
	Main File
}

//go:embed functions
var functions embed.FS

// code is what a function's files are made of.
type code struct {
	Name, Package, Title string
	// Import is the import path of the package.
	Import  string
	Binding binding
}

// Add returns what adds a function to the app in a folder, whose packages have the
// import path of its folder before their own. It changes nothing: see [Write]. It
// fails with a [*NameError] where the name cannot be used, and with a [*PlaceError] where
// main.go has no place for the registration.
func Add(app fs.FS, importPath string, f Function) (*Addition, error) {
	if !slices.Contains(Kinds(), f.Kind) {
		return nil, wrongName("there is no kind of function %q; there are %s", f.Kind, kindNames())
	}
	if f.Kind != Trigger && f.Binding != "" {
		return nil, wrongName("a function of the kind %s has no trigger of its own to choose", f.Kind)
	}
	if err := checkFunction(f.Name); err != nil {
		return nil, err
	}
	if err := checkFolder(app, f.Name); err != nil {
		return nil, err
	}
	main, err := fs.ReadFile(app, "main.go")
	if err != nil {
		return nil, fmt.Errorf("this is not the folder of an app: %w", err)
	}
	c := code{Name: f.Name, Package: packageName(f.Name), Title: strings.ToUpper(f.Name[:1]) + f.Name[1:], Import: path.Join(importPath, f.Name)}
	if c.Binding, err = bindings(f.Binding, c.Package); err != nil {
		return nil, err
	}
	a := &Addition{}
	if a.Files, err = c.files(f.Kind); err != nil {
		return nil, err
	}
	trigger, err := functionJSON(app, f.Kind, c)
	if err != nil {
		return nil, err
	}
	if trigger != nil {
		a.Files = append(a.Files, File{f.Name + "/function.json", trigger})
	}
	if main, err = register(main, c.registration(f.Kind)); err != nil {
		return nil, err
	}
	a.Main = File{"main.go", main}
	return a, nil
}

func kindNames() string {
	var names []string
	for _, k := range Kinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// checkFolder fails where the app has a folder or file of that name, in whatever
// case: the host compares names of functions without it.
func checkFolder(app fs.FS, name string) error {
	entries, err := fs.ReadDir(app, ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.EqualFold(e.Name(), name) {
			return fmt.Errorf("%s is there already; choose another name, or remove it", e.Name())
		}
	}
	return nil
}

// files are the code of a function and its test.
func (c code) files(kind Kind) (files []File, err error) {
	for _, suffix := range []string{".go", "_test.go"} {
		t, err := template.ParseFS(functions, "functions/"+string(kind)+suffix+".txt")
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		if err := t.Execute(&b, c); err != nil {
			return nil, err
		}
		formatted, err := format.Source(b.Bytes())
		if err != nil {
			return nil, fmt.Errorf("formatting the code of %s: %w", c.Name, err)
		}
		files = append(files, File{c.Name + "/" + c.Package + suffix, formatted})
	}
	return files, nil
}

// queueOf are the queues of a task hub that bring messages for functions of a kind.
var queueOf = map[Kind]string{Orchestrator: "%TaskHub%-control-00", Entity: "%TaskHub%-control-00", Activity: "%TaskHub%-workitems"}

// functionJSON says what triggers a function. It is nil where nothing does: one
// folder listens to each queue of the task hub, for all functions.
func functionJSON(app fs.FS, kind Kind, c code) ([]byte, error) {
	switch kind {
	case HTTP:
		return fmt.Appendf(nil, `{
  "bindings": [
    {
      "type": "httpTrigger",
      "direction": "in",
      "name": "req",
      "authLevel": "function",
      "methods": ["get", "post"],
      "route": "%s/{functionName}"
    },
    { "type": "http", "direction": "out", "name": "res" }
  ]
}
`, c.Package), nil
	case Trigger:
		return bindingJSON(c.Binding.json), nil
	}
	listened, err := listens(app, queueOf[kind])
	if err != nil || listened {
		return nil, err
	}
	return bindingJSON(fmt.Sprintf(`"type": "queueTrigger", "direction": "in", "name": "message", "queueName": %q, "connection": "AzureWebJobsStorage", "dataType": "binary"`, queueOf[kind])), nil
}

// bindingJSON is a function.json with one binding, whose members are given in one
// line.
func bindingJSON(members string) []byte {
	text := strings.ReplaceAll(members, `", "`, "\",\n      \"")
	return fmt.Appendf(nil, "{\n  \"bindings\": [\n    {\n      %s\n    }\n  ]\n}\n", text)
}

// listens reports whether a folder of the app is triggered by a queue.
func listens(app fs.FS, queue string) (bool, error) {
	files, err := fs.Glob(app, "*/function.json")
	if err != nil {
		return false, err
	}
	for _, name := range files {
		raw, err := fs.ReadFile(app, name)
		if err != nil {
			return false, err
		}
		var file struct {
			Bindings []struct {
				QueueName string `json:"queueName"`
			} `json:"bindings"`
		}
		if err := json.Unmarshal(raw, &file); err != nil {
			return false, fmt.Errorf("%s: %w", name, err)
		}
		for _, b := range file.Bindings {
			if strings.EqualFold(b.QueueName, queue) {
				return true, nil
			}
		}
	}
	return false, nil
}
