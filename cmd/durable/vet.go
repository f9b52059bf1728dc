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
	"strings"

	"github.com/spf13/cobra"
)

// module is the product's, vetModule that of the analyzer.
const (
	module    = "github.com/durable-go/functions"
	vetModule = module + "/cmd/durablevet"
)

const vetHelp = `vet reports what breaks orchestrators: code that does not do the same in a replay, tasks that
nothing awaits, names and types that do not fit. Without packages it checks all of the module
in this folder. It runs durablevet: that of the module's own folder, where there is one, else
that on the PATH, else the newest one that is published. The rules: docs/vet.md.`

func newVetCommand() *cobra.Command {
	return &cobra.Command{
		Use: "vet [-json] [-fix] [-RULE=false] [packages]", Short: "reports what breaks orchestrators, before they run",
		Long: vetHelp,
		Example: "  durable vet\n" +
			"  durable vet -fix ./Orchestrator",
		DisableFlagParsing: true, // the flags are those of durablevet
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && (args[0] == "-h" || args[0] == "--help" || args[0] == "help") {
				return cmd.Help()
			}
			return vet(cmd.Context(), args, cmd.OutOrStdout())
		},
	}
}

// errFindings is why vet ends when there is something to mend.
var errFindings = errors.New("there is something to mend, see above")

// vet runs the analyzer on packages.
func vet(ctx context.Context, args []string, out io.Writer) error {
	tool, err := vetTool(ctx)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, tool[0], append(tool[1:], args...)...)
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		return errStopped
	case errors.As(err, new(*exec.ExitError)):
		return errFindings
	case err != nil:
		return fmt.Errorf("running %s: %w", strings.Join(tool, " "), err)
	}
	return nil
}

// vetTool is the command that runs the analyzer: built from the product's
// source where the module in this folder has that, so that both are of one
// version.
func vetTool(ctx context.Context) ([]string, error) {
	if dir := sourceOfVet(ctx); dir != "" {
		return builtVet(ctx, dir)
	}
	if tool, err := exec.LookPath("durablevet"); err == nil {
		return []string{tool}, nil
	}
	return []string{"go", "run", vetModule + "@latest"}, nil
}

// sourceOfVet is the folder of the analyzer's source; "" where there is only
// the product's published module, which does not hold it.
func sourceOfVet(ctx context.Context) string {
	dir, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return "" // the folder is of another module, or of none
	}
	source := filepath.Join(strings.TrimSpace(string(dir)), "cmd", "durablevet")
	if _, err := os.Stat(filepath.Join(source, "go.mod")); err != nil {
		return ""
	}
	return source
}

// builtVet builds the analyzer, and is quick where nothing has changed.
func builtVet(ctx context.Context, source string) ([]string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("a folder for durablevet: %w", err)
	}
	tool := filepath.Join(cache, "durable-go", "bin", "durablevet")
	if runtime.GOOS == "windows" {
		tool += ".exe"
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", tool, ".")
	build.Dir = source
	if problems, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building durablevet in %s: %w\n%s", source, err, problems)
	}
	return []string{tool}, nil
}
