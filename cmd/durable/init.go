package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/durable-go/functions/internal/scaffold"
	"github.com/spf13/cobra"
)

// initOptions are the arguments of init.
type initOptions struct {
	dir, template, module, hub, replace, ci string
	infra                                   bool
}

func newInitCommand() *cobra.Command {
	var o initOptions
	var templates []string
	help := "init makes an app: go.mod, main.go, a folder for each function, tests, host.json, local.settings.json,\n" +
		"settings of VS Code, a dev container, README.md. It writes into a folder that has none of these. The templates:\n"
	for _, t := range scaffold.Templates() {
		templates = append(templates, t.Name)
		help += fmt.Sprintf("\n  %-10s %s", t.Name, t.Summary)
	}
	cmd := &cobra.Command{
		Use: "init DIR", Short: "makes a new app from a template", Long: help,
		Example: "  durable init shop --template order\n" +
			"  durable init . --module example.com/shop --hub ShopHub\n" +
			"  durable init shop --ci github --infra",
		Args: want(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.dir = args[0]
			return initApp(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&o.template, "template", "hello", "`name` of the template")
	cmd.Flags().StringVar(&o.module, "module", "", "module `path` of the app (default: the name of its folder)")
	cmd.Flags().StringVar(&o.hub, "hub", "", "`name` of the task hub (default: made of the module path, as ShopHub)")
	cmd.Flags().StringVar(&o.replace, "replace", "", "`folder` of a checkout of "+module+" to use in place of a published version\n(default: the checkout that this command was built in, if any)")
	cmd.Flags().StringVar(&o.ci, "ci", "", "add a pipeline that checks and deploys: `github` or azure")
	cmd.Flags().BoolVar(&o.infra, "infra", false, "add infra/ and azure.yaml, with which azd makes what the app needs in Azure")
	complete(cmd, "template", func(*cobra.Command) []string { return templates })
	complete(cmd, "ci", func(*cobra.Command) []string { return scaffold.Pipelines() })
	return cmd
}

// initApp makes the app.
func initApp(ctx context.Context, o initOptions, out, problems io.Writer) error {
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return err
	}
	app, err := o.app(dir)
	if err != nil {
		return err
	}
	files, err := scaffold.App(app)
	if err != nil {
		return usageError{err}
	}
	if err := scaffold.Write(dir, files); err != nil {
		return err
	}
	fmt.Fprintf(out, "Made %s from the template %s: %d files\n", o.dir, o.template, len(files))
	if app.Replace != "" {
		fmt.Fprintf(out, "It uses the checkout in %s (replace in go.mod)\n", app.Replace)
	}
	if app.Replace != "" && app.CI != "" {
		fmt.Fprintln(problems, "The pipeline has no checkout: require a published version in go.mod, without the replace, before it runs")
	}
	fmt.Fprintln(problems, "Running go mod tidy")
	tidy := exec.CommandContext(ctx, "go", "mod", "tidy")
	tidy.Dir = dir
	if text, err := tidy.CombinedOutput(); err != nil {
		return stopped(ctx, fmt.Errorf("%s is written, but go mod tidy failed: %w\n%s\nrun it there once the cause is gone", o.dir, err, strings.TrimSpace(string(text))))
	}
	next := "  go test ./...\n  durable start\n"
	if wd, err := os.Getwd(); err != nil || wd != dir {
		next = "  cd " + o.dir + "\n" + next
	}
	fmt.Fprint(out, "Next:\n"+next)
	return nil
}

// app decides what was left open.
func (o initOptions) app(dir string) (scaffold.Options, error) {
	app := scaffold.Options{Template: o.template, Module: o.module, Hub: o.hub, CI: o.ci, Infra: o.infra}
	if app.Module == "" {
		app.Module = scaffold.ModuleName(dir)
	}
	if app.Module == "" {
		return app, usageError{fmt.Errorf("the name of %s makes no module path: give one with --module", dir)}
	}
	if app.Hub == "" {
		app.Hub = scaffold.HubName(app.Module)
	}
	checkout := o.replace
	if checkout == "" {
		if app.Version, checkout = source(); checkout == "" {
			return app, nil
		}
	}
	checkout, err := filepath.Abs(checkout)
	if err != nil {
		return app, err
	}
	raw, err := os.ReadFile(filepath.Join(checkout, "go.mod"))
	if err != nil || !strings.HasPrefix(string(raw), "module "+module+"\n") {
		return app, usageError{errors.Join(fmt.Errorf("--replace %s: this is no checkout of %s", o.replace, module), err)}
	}
	app.Version = ""
	if app.Sums, err = os.ReadFile(filepath.Join(checkout, "go.sum")); err != nil {
		return app, err
	}
	app.Replace = checkout
	if o.replace != "" && !filepath.IsAbs(o.replace) {
		app.Replace, err = filepath.Rel(dir, checkout)
	}
	return app, err
}

// source is where this command is from: the version that was installed, or the
// folder of the checkout that it was built in.
func source() (version, checkout string) {
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) && !strings.Contains(file, "@") {
		root := filepath.Dir(filepath.Dir(filepath.Dir(file)))
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			return "", root
		}
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || !strings.HasPrefix(info.Main.Version, "v") || strings.HasSuffix(info.Main.Version, "+dirty") {
		return "", ""
	}
	return info.Main.Version, ""
}
