package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/durable-go/functions/internal/scaffold"
	"github.com/spf13/cobra"
)

// newNewCommand makes the commands that add functions to an app.
func newNewCommand() *cobra.Command {
	return newGroup("new", "adds a function to an app: folder, code, test, and its line in main.go",
		newFunctionCommand(scaffold.Orchestrator, "ProcessOrder", "adds an orchestrator"),
		newFunctionCommand(scaffold.Activity, "ChargeCustomer", "adds an activity"),
		newFunctionCommand(scaffold.Entity, "Account", "adds an entity"),
		newFunctionCommand(scaffold.HTTP, "StartOrder", "adds an HTTP function that starts orchestrations"),
		newFunctionCommand(scaffold.Trigger, "OnOrder", "adds a function with another trigger: a queue, a timer ..."),
	)
}

func newFunctionCommand(kind scaffold.Kind, example, short string) *cobra.Command {
	f := scaffold.Function{Kind: kind}
	cmd := &cobra.Command{
		Use: string(kind) + " NAME [DIR]", Short: short,
		Long: fmt.Sprintf("%s %s to the app in DIR, or in this folder.\n", kind, short) +
			"It makes the folder NAME with the code and a test, and registers the function in main.go, which\n" +
			"stays as it is otherwise. Where main.go has another form, nothing is changed, and the line to add is shown.",
		Example: fmt.Sprintf("  durable new %s %s", kind, example),
		Args:    want(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.Name = args[0]
			return addFunction(f, folder(args[1:]), cmd.OutOrStdout())
		},
	}
	if kind == scaffold.Trigger {
		cmd.Example += "\n  durable new trigger EveryNight --kind timer"
		cmd.Flags().StringVar(&f.Binding, "kind", "queue", "what triggers it: queue, timer, blob, servicebus or eventgrid")
		complete(cmd, "kind", func(*cobra.Command) []string { return scaffold.BindingKinds() })
	}
	return cmd
}

// addFunction adds a function to the app in a folder.
func addFunction(f scaffold.Function, dir string, out io.Writer) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	importPath, err := scaffold.ImportPath(dir)
	if err != nil {
		return err
	}
	addition, err := scaffold.Add(os.DirFS(dir), importPath, f)
	if errors.As(err, new(*scaffold.NameError)) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	if err := addition.Apply(dir); err != nil {
		return err
	}
	for _, file := range addition.Files {
		fmt.Fprintln(out, "made   ", file.Path)
	}
	fmt.Fprintln(out, "changed", addition.Main.Path)
	return nil
}
