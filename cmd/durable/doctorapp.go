package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/durable-go/functions/handler"
	"github.com/durable-go/functions/internal/jsonc"
	"github.com/durable-go/functions/internal/taskhub"
)

// versionOf is what a program answers to a question about its version, in a line.
func versionOf(ctx context.Context, dir, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return first, err
}

func (p *patient) checkGo(ctx context.Context) {
	version, err := versionOf(ctx, p.dir, "go", "env", "GOVERSION")
	if err != nil {
		p.add("go", problem, "install Go from https://go.dev/dl", "go does not run here: %v", err)
		return
	}
	p.add("go", fine, "", "%s", version)
	used, err := versionOf(ctx, p.dir, "go", "list", "-m", "-f", "{{.Path}} {{.Version}}", module)
	switch {
	case err != nil:
		p.add("module", problem, "go get "+module+", in a folder with a go.mod (go mod init NAME makes one)", "the module of this folder does not use %s", module)
	default:
		p.add("module", fine, "", "%s", used)
	}
}

// checkHost looks at the Functions host.
func (p *patient) checkHost(ctx context.Context) {
	if inMemory(p.env) {
		p.add("func", fine, "", "not needed: the task hub is in memory")
		return
	}
	version, err := versionOf(ctx, p.dir, "func", "--version")
	major, _, _ := strings.Cut(version, ".")
	switch {
	case err != nil:
		p.add("func", warning, installHint, "func (Azure Functions Core Tools) does not run here (%v): durable start runs the app without the Functions host, so that triggers other than HTTP do not work", err)
	case major != "4":
		p.add("func", problem, installHint, "func has version %s, and the app needs 4", version)
	default:
		p.add("func", fine, "", "%s", version)
	}
}

func (p *patient) checkPort() {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
	if err != nil {
		p.add("port", warning, fmt.Sprintf("end what uses it, or durable start --port %d", p.port+1), "port %d is not free (an app that runs already?): %v", p.port, err)
		return
	}
	_ = listener.Close() // it was only tried
	p.add("port", fine, "", "%d is free", p.port)
}

// bundles is the range of extension bundles that has what an app of ours needs.
const bundles = "[4.*, 5.0.0)"

func (p *patient) checkHostJSON() {
	program, err := programName(p.dir)
	if err != nil {
		p.add("host.json", problem, "see the host.json of an app that durable init makes", "%v", err)
		return
	}
	if p.hub, err = hubOf(p.dir, p.env); err != nil {
		p.add("host.json", problem, `set "extensions": {"durableTask": {"hubName": "NAME"}}`, "%v", err)
	} else if err := taskhub.ValidHub(p.hub); err != nil {
		p.add("host.json", problem, "give hubName another value", "%v", err)
		p.hub = ""
	} else {
		p.add("host.json", fine, "", "task hub %s, program %s", p.hub, program)
	}
	p.checkProgram(program)
	var host struct {
		ExtensionBundle struct{ ID, Version string }
		CustomHandler   struct{ EnableProxyingHTTPRequest bool }
	}
	raw, err := os.ReadFile(filepath.Join(p.dir, "host.json"))
	if err == nil {
		err = jsonc.Unmarshal(raw, &host)
	}
	switch {
	case err != nil:
		p.add("host.json", problem, "mend host.json", "%v", err)
	case host.ExtensionBundle.ID == "":
		p.add("bundle", problem, `set "extensionBundle": {"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "`+bundles+`"} in host.json`, "host.json names no extension bundle: the host does not know queue triggers")
	case !strings.HasPrefix(host.ExtensionBundle.Version, "[4."):
		p.add("bundle", warning, `set extensionBundle.version to "`+bundles+`" in host.json`, "extension bundle %s %s: the product is tested with 4", host.ExtensionBundle.ID, host.ExtensionBundle.Version)
	default:
		p.add("bundle", fine, "", "%s %s", host.ExtensionBundle.ID, host.ExtensionBundle.Version)
	}
	if err == nil && !host.CustomHandler.EnableProxyingHTTPRequest {
		p.add("host.json", problem, `set "enableProxyingHttpRequest": true in customHandler of host.json`, "the host does not pass HTTP requests on as they are")
	}
}

// checkProgram looks whether the program was built: func starts what is there.
func (p *patient) checkProgram(name string) {
	file := filepath.Join(p.dir, filepath.FromSlash(name))
	if runtime.GOOS == "windows" {
		file += ".exe"
	}
	if _, err := os.Stat(file); err != nil {
		p.add("program", warning, "go build -o "+name+" .  (durable start does it)", "%s was not built yet: func start needs it", name)
		return
	}
	p.add("program", fine, "", "%s is there", name)
}

// checkFunctions looks at the function.json files.
func (p *patient) checkFunctions() {
	app, err := handler.Load(p.dir, p.env.list())
	if err != nil {
		p.add("functions", problem, "mend what is named, or set the setting in local.settings.json", "%v", err)
		return
	}
	var names []string
	for _, f := range app.Functions {
		names = append(names, f.Name)
	}
	p.add("functions", fine, "", "%s", strings.Join(names, ", "))
	for _, folder := range []string{"DurableTask", "DurableTaskLinks"} {
		if !slices.Contains(names, folder) {
			p.add("functions", warning, "copy the folder "+folder+" of the lab, or of an app that durable init makes", "there is no %s/function.json: links of the management API, and this tool with --url, get no answer", folder)
		}
	}
	if p.hub == "" {
		return
	}
	for _, queue := range []string{taskhub.ControlQueue(p.hub), taskhub.WorkItemQueue(p.hub)} {
		if !listens(app, queue) {
			p.add("functions", warning, fmt.Sprintf(`give a folder a function.json with a queueTrigger of queueName "%s"`, queue), "no function listens to queue %s: in Azure nothing wakes the app up, or scales it, when work comes", queue)
		}
	}
	if hub := p.env.get("TaskHub"); hub != "" && !strings.EqualFold(hub, p.hub) {
		p.add("settings", problem, "give both the same name", "the setting TaskHub is %s, and hubName in host.json %s", hub, p.hub)
	}
}

// listens reports whether a function has a queue trigger on a queue.
func listens(app *handler.App, queue string) bool {
	return slices.ContainsFunc(app.Functions, func(f *handler.Function) bool {
		return strings.EqualFold(f.Trigger.Type, "queueTrigger") && f.Trigger.QueueName == queue
	})
}
