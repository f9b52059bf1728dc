// Package handler speaks the protocol between the Azure Functions host and a
// custom handler: it reads the app's configuration, takes the host's requests
// and gives the answers that the host understands. It knows nothing of what the
// functions do.
package handler

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/durable-go/functions/handler/route"
	"github.com/durable-go/functions/internal/jsonc"
)

// App is what host.json and the function.json files say. It is read-only.
type App struct {
	// RoutePrefix comes before the routes of HTTP functions, without slashes at
	// its ends. Default "api".
	RoutePrefix string
	// Proxied means that the host passes HTTP requests on as they are
	// (customHandler.enableProxyingHttpRequest, or forwarding).
	Proxied bool
	// Forwards means that the host passes requests on in the old way, with the
	// caller's own headers only (customHandler.enableForwardingHttpRequest without
	// enableProxyingHttpRequest).
	Forwards bool
	// DurableTask is the section extensions.durableTask of host.json, with what
	// the environment overrides; nil when there is none.
	DurableTask json.RawMessage
	// Functions in the order of their names.
	Functions []*Function

	// only are the functions that the host runs, in lower case; nil: all.
	only map[string]bool
	// leftOut are warnings about functions that have the route of another one.
	leftOut []string
	routes  route.Table
}

// Function is one folder with a function.json.
type Function struct {
	Name     string
	Trigger  Binding
	Bindings []Binding
	// HTTP means that the function has exactly an HTTP trigger and an HTTP
	// output, so that the host passes its requests on.
	HTTP bool
	// Route is the template of an HTTP function, with the prefix and without a
	// slash at the start; Methods are upper-case, nil for all.
	Route   string
	Methods []string
	// Level is the authLevel of an HTTP function: anonymous, function (the default)
	// or admin.
	Level string
	// Disabled means that a setting AzureWebJobs.NAME.Disabled turns the function off.
	// Its paths stay its own: the host answers them.
	Disabled bool

	script string
}

// Binding is one binding of a function.
type Binding struct {
	Name      string
	Type      string
	Direction string
	DataType  string
	Route     *string
	Methods   []string
	AuthLevel string
	QueueName string
	// Connection is the name of the setting with the storage account of a queue;
	// empty: AzureWebJobsStorage.
	Connection string
}

// wireBinding is a binding as function.json has it: the host takes numbers and
// booleans for texts.
type wireBinding struct {
	Name, Type, Direction, DataType jsonc.Text
	Route                           *jsonc.Text
	Methods                         []jsonc.Text
	AuthLevel, QueueName            jsonc.Text
	Connection                      jsonc.Text
}

func (w *wireBinding) binding() Binding {
	b := Binding{
		Name: string(w.Name), Type: string(w.Type), Direction: string(w.Direction), DataType: string(w.DataType), Route: (*string)(w.Route),
		AuthLevel: string(w.AuthLevel), QueueName: string(w.QueueName), Connection: string(w.Connection),
	}
	if w.Methods != nil {
		b.Methods = []string{}
	}
	for _, m := range w.Methods {
		b.Methods = append(b.Methods, string(m))
	}
	return b
}

// Function finds a function by name, without case; nil when there is none.
func (a *App) Function(name string) *Function {
	for _, f := range a.Functions {
		if strings.EqualFold(f.Name, name) {
			return f
		}
	}
	return nil
}

// Load reads the app in a directory. environ is os.Environ(): settings named
// AzureFunctionsJobHost__a__b override host.json, and %NAME% in function.json
// stands for a setting. Errors name the file and the field.
func Load(root string, environ []string) (*App, error) {
	env := environment(environ)
	app, err := loadHost(filepath.Join(root, "host.json"), env)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("reading the app's folder: %w", err)
	}
	for _, entry := range entries {
		file := filepath.Join(root, entry.Name(), "function.json")
		raw, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s/function.json: %w", entry.Name(), err)
		}
		f, err := parseFunction(entry.Name(), raw, app.RoutePrefix, env)
		if err != nil {
			return nil, fmt.Errorf("%s/function.json: %w", entry.Name(), err)
		}
		f.Disabled = isSet(env, "azurewebjobs."+f.Name+".disabled") || isSet(env, "azurewebjobs_"+f.Name+"_disabled")
		if other := app.Function(f.Name); other != nil {
			return nil, fmt.Errorf("%s/function.json: folder %s is a function of the same name (names are compared without case)", f.Name, other.Name)
		}
		app.Functions = append(app.Functions, f)
		if err := f.checkScript(filepath.Join(root, entry.Name())); err != nil {
			return nil, fmt.Errorf("%s/function.json: %w", entry.Name(), err)
		}
	}
	if err := app.addRoutes(); err != nil {
		return nil, err
	}
	return app, nil
}

// addRoutes makes the table of routes, in the order in which the host does: what it
// leaves out depends on that.
func (a *App) addRoutes() error {
	byName := slices.SortedFunc(slices.Values(a.Functions), func(f, g *Function) int { return route.CompareNames(f.Name, g.Name) })
	for _, f := range byName {
		if err := a.addRoute(f); err != nil {
			return fmt.Errorf("%s/function.json: bindings: %w", f.Name, err)
		}
	}
	return nil
}

// addRoute puts a function with an HTTP trigger into the table of routes, also
// one that has no handler: the host gives it its paths all the same. One that is not
// in the list "functions" of host.json has none.
func (a *App) addRoute(f *Function) error {
	if f.Route == "" || a.only != nil && !a.only[strings.ToLower(f.Name)] {
		return nil
	}
	t, err := route.Parse(f.Route)
	if err != nil {
		return err
	}
	entry := route.Entry{Function: f.Name, Template: t, Methods: f.Methods, Level: f.Level}
	if other := a.routes.Same(entry); other != "" {
		a.leftOut = append(a.leftOut, fmt.Sprintf("%s is not run by the host: %s has its route %q already", f.Name, other, f.Route))
		return nil
	}
	a.routes.Add(entry)
	return nil
}

// checkScript refuses a script file with which the host may leave an HTTP function
// out: then another one has its paths.
func (f *Function) checkScript(folder string) error {
	if f.script == "" || f.Route == "" {
		return nil
	}
	info, err := os.Stat(filepath.Join(folder, filepath.FromSlash(f.script)))
	if err != nil || !info.Mode().IsRegular() || scripts[strings.ToLower(filepath.Ext(f.script))] {
		return fmt.Errorf("scriptFile: a function of a custom handler needs none, and the host does not run it with %q: remove it", f.script)
	}
	return nil
}

// scripts are the ends of files by which the host takes a function for one in another
// language.
var scripts = map[string]bool{
	".js": true, ".mjs": true, ".cjs": true, ".ts": true, ".py": true, ".ps1": true, ".psm1": true,
	".cs": true, ".csx": true, ".fs": true, ".fsx": true, ".dll": true, ".jar": true, ".java": true,
}

// RouteConflicts are warnings about functions of different authLevel that have
// paths in common, which the host gives to the one whose name comes first, and about
// functions of one route, of which it runs that one alone.
func (a *App) RouteConflicts() []string { return append(a.routes.Conflicts(), a.leftOut...) }

// environment makes a map of NAME=VALUE, with lower-case names.
func environment(environ []string) map[string]string {
	env := map[string]string{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		env[strings.ToLower(name)] = value
	}
	return env
}

// isSet reports whether a setting is true or 1.
func isSet(env map[string]string, name string) bool {
	value := env[strings.ToLower(name)]
	return value == "1" || strings.EqualFold(value, "true")
}

var functionName = regexp.MustCompile(`(?i)^[a-z][a-z0-9_\-]{0,127}$`)
var bindingName = regexp.MustCompile(`^([a-zA-Z][a-zA-Z0-9_]{0,127}|\$return)$`)

func parseFunction(name string, raw []byte, prefix string, env map[string]string) (*Function, error) {
	if !functionName.MatchString(name) || strings.EqualFold(name, "host") {
		return nil, fmt.Errorf("%q is not a valid function name: a letter, then at most 127 letters, digits, _ and -", name)
	}
	var file struct {
		Bindings                        []wireBinding
		ScriptFile, ConfigurationSource jsonc.Text
	}
	if err := jsonc.Unmarshal(raw, &file); err != nil {
		return nil, fmt.Errorf("does not parse: %w", err)
	}
	if file.ConfigurationSource != "" && !strings.EqualFold(string(file.ConfigurationSource), "config") {
		return nil, fmt.Errorf("configurationSource: %q is for functions of .NET: remove it", file.ConfigurationSource)
	}
	f := &Function{Name: name, script: string(file.ScriptFile)}
	for _, b := range file.Bindings {
		f.Bindings = append(f.Bindings, b.binding())
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	queue, err := expand(f.Trigger.QueueName, env)
	if err != nil {
		return nil, fmt.Errorf("bindings: queueName: %w", err)
	}
	f.Trigger.QueueName = strings.ToLower(queue)
	return f, f.setRoute(prefix)
}

// check applies the host's rules to the bindings and finds the trigger.
func (f *Function) check() error {
	if len(f.Bindings) == 0 {
		return fmt.Errorf("bindings: at least one binding must be declared")
	}
	seen := map[string]bool{}
	for _, b := range f.Bindings {
		switch {
		case !bindingName.MatchString(b.Name):
			return fmt.Errorf("bindings: name: %q is not a valid binding name", b.Name)
		case seen[strings.ToLower(b.Name)]:
			return fmt.Errorf("bindings: name: two bindings are named %q", b.Name)
		case b.Type == "":
			return fmt.Errorf("bindings: type: binding %q has none", b.Name)
		case b.Direction != "" && !slices.Contains([]string{"in", "out", "inout"}, strings.ToLower(b.Direction)):
			return fmt.Errorf("bindings: direction: %q is not in, out or inout", b.Direction)
		}
		if err := b.checkDirection(); err != nil {
			return err
		}
		seen[strings.ToLower(b.Name)] = true
		if !strings.HasSuffix(strings.ToLower(b.Type), "trigger") {
			continue
		}
		if f.Trigger.Type != "" {
			return fmt.Errorf("bindings: %q and %q are both triggers; a function has exactly one", f.Trigger.Name, b.Name)
		}
		f.Trigger = b
	}
	switch {
	case f.Trigger.Type == "":
		return fmt.Errorf("bindings: none is a trigger; a function has exactly one")
	case strings.EqualFold(f.Trigger.Type, "queueTrigger") && f.Trigger.QueueName == "":
		return fmt.Errorf("bindings: queueName: the queue trigger %q has none", f.Trigger.Name)
	}
	return nil
}

// checkDirection refuses what makes the host leave the function out, and give its paths
// to another one.
func (b *Binding) checkDirection() error {
	switch kind := strings.ToLower(b.Type); {
	case strings.HasSuffix(kind, "trigger") && b.Direction != "" && !strings.EqualFold(b.Direction, "in"):
		return fmt.Errorf("bindings: direction: the trigger %q must have the direction in", b.Name)
	case kind == "http" && !strings.EqualFold(b.Direction, "out"):
		return fmt.Errorf("bindings: direction: %q is the answer of an HTTP function, and must have the direction out", b.Name)
	}
	return nil
}

// reserved are the beginnings of routes that the host keeps for itself, as
// plain text: it refuses "runtimes" as well.
var reserved = regexp.MustCompile(`(?i)^(admin|runtime)`)

func (f *Function) setRoute(prefix string) error {
	if !strings.EqualFold(f.Trigger.Type, "httpTrigger") {
		return nil
	}
	f.HTTP = len(f.Bindings) == 2
	for _, b := range f.Bindings {
		f.HTTP = f.HTTP && (strings.EqualFold(b.Type, "httpTrigger") || strings.EqualFold(b.Type, "http"))
	}
	own := f.Name
	if f.Trigger.Route != nil && *f.Trigger.Route != "" {
		own = *f.Trigger.Route
	}
	if reserved.MatchString(strings.TrimPrefix(own, "/")) {
		return fmt.Errorf("bindings: route: %q conflicts with the host's own routes, which begin with admin and runtime", own)
	}
	f.Route = strings.TrimPrefix(prefix+"/"+own, "/")
	if f.Trigger.Methods != nil {
		f.Methods = []string{}
	}
	for _, method := range f.Trigger.Methods {
		f.Methods = append(f.Methods, strings.ToUpper(method))
	}
	f.Level = strings.ToLower(cmp.Or(f.Trigger.AuthLevel, "function"))
	if !slices.Contains([]string{"anonymous", "function", "admin", "user", "system"}, f.Level) {
		return fmt.Errorf("bindings: authLevel: %q is not anonymous, function or admin", f.Trigger.AuthLevel)
	}
	return nil
}

var setting = regexp.MustCompile(`%([^%]+)%`)

// expand replaces %NAME% by settings.
func expand(text string, env map[string]string) (string, error) {
	var missing string
	out := setting.ReplaceAllStringFunc(text, func(token string) string {
		value, ok := env[strings.ToLower(strings.Trim(token, "%"))]
		if !ok {
			missing = token
		}
		return value
	})
	if missing != "" {
		return "", fmt.Errorf("%s does not resolve to a value: there is no app setting of that name; set it in Values of local.settings.json, and in Azure as an app setting", missing)
	}
	return out, nil
}
