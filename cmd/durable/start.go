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

// installHint says how to get the Functions host.
const installHint = "npm install -g azure-functions-core-tools@4 --unsafe-perm true"

const startHelp = `
builds the app to bin/handler and runs it until Ctrl-C, in the Functions host (func) where that
is installed.

The setting AzureWebJobsStorage says where the storage is. With UseDevelopmentStorage=true
Azurite runs on its usual ports, with a connection string of other ports on this machine on
those, unless it answers there already.`

// options are the arguments of start.
type options struct {
	dir    string
	memory bool
	fn     string
	port   int
}

func newStartCommand() *cobra.Command { return startCommand(start) }

// startCommand hands the arguments to run.
func startCommand(run func(context.Context, options, io.Writer) error) *cobra.Command {
	var o options
	var store string
	cmd := &cobra.Command{
		Use: "start [DIR]", Short: "builds the app in a folder and runs it, with the storage emulator if need be",
		Long: "start" + startHelp,
		Example: "  durable start\n" +
			"  durable start --storage memory --port 7080 samples/telemetry",
		Args: oneFolder,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(store, args); err != nil {
				return err
			}
			return run(cmd.Context(), o, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&store, "storage", "", "memory: keep the task hub in memory, without Azurite and without the Functions host")
	cmd.Flags().StringVar(&o.fn, "func", "", "`path` of the Azure Functions Core Tools' func (default: func on PATH)")
	cmd.Flags().IntVar(&o.port, "port", 7071, "port of the HTTP functions")
	return cmd
}

func (o *options) check(store string, args []string) (err error) {
	switch {
	case store != "" && store != memory:
		return usageError{fmt.Errorf("--storage %s: only memory can be said here; any other storage is the setting AzureWebJobsStorage", store)}
	case o.port < 1 || o.port > 65535:
		return usageError{fmt.Errorf("--port %d: a port is between 1 and 65535", o.port)}
	}
	o.memory = store == memory
	o.dir, err = filepath.Abs(folder(args))
	return err
}

// start builds and runs the app until ctx ends or a part of it does.
func start(ctx context.Context, o options, out io.Writer) error {
	env, err := appEnvironment(o)
	if err != nil {
		return err
	}
	host, err := findHost(o, env)
	if err != nil {
		return err
	}
	handler, err := buildApp(ctx, o.dir, out)
	if err != nil {
		return stopped(ctx, err)
	}
	emulator, err := startEmulator(ctx, o.dir, env, out)
	if err != nil {
		return stopped(ctx, err)
	}
	if emulator != nil {
		defer emulator.Stop()
	}
	cmd := hostCommand(o, host, env)
	if host == "" {
		cmd = standaloneCommand(o, handler, env)
		fmt.Fprintln(out, standaloneNotice(env))
	}
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	var emulatorEnded <-chan struct{}
	if emulator != nil {
		emulatorEnded = emulator.Done()
	}
	return supervise(ctx, cmd, emulatorEnded)
}

// stopped is what an error means once the user wants the program to end.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errStopped
	}
	return err
}

// findHost returns the path of func; empty where the app runs without it.
func findHost(o options, env environment) (string, error) {
	if inMemory(env) {
		if o.fn != "" {
			return "", usageError{errors.New("--func and storage in memory do not go together: the Functions host needs a storage account")}
		}
		return "", nil
	}
	if o.fn == "" {
		// Without func the app runs standalone.
		path, _ := exec.LookPath("func")
		return path, nil
	}
	path, err := exec.LookPath(o.fn)
	if err != nil {
		return "", fmt.Errorf("--func: %w (to install it: %s)", err, installHint)
	}
	return filepath.Abs(path)
}

// buildApp compiles the app to where host.json has it.
func buildApp(ctx context.Context, dir string, out io.Writer) (string, error) {
	handler := filepath.Join("bin", "handler")
	if runtime.GOOS == "windows" {
		handler += ".exe"
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", handler, ".")
	cmd.Dir = dir
	fmt.Fprintln(out, "Building", handler)
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the app in %s: %w\n%s", dir, err, strings.TrimSpace(string(text)))
	}
	return filepath.Join(dir, handler), nil
}

func hostCommand(o options, host string, env environment) *exec.Cmd {
	cmd := exec.Command(host, "start", "--port", fmt.Sprint(o.port))
	cmd.Dir, cmd.Env = o.dir, env.own
	return cmd
}

func standaloneCommand(o options, handler string, env environment) *exec.Cmd {
	cmd := exec.Command(handler)
	cmd.Dir = o.dir
	cmd.Env = append(env.list(), fmt.Sprintf("DURABLE_STANDALONE=127.0.0.1:%d", o.port),
		"FUNCTIONS_APP_ROOT_PATH="+o.dir, "FUNCTIONS_CUSTOMHANDLER_PORT=", "AZURE_FUNCTIONS_ENVIRONMENT=Development")
	return cmd
}

func standaloneNotice(env environment) string {
	notice := "Running without the Functions host: HTTP functions and orchestrations work, other triggers and function keys do not."
	if inMemory(env) {
		return notice + "\nThe task hub is in memory: it is gone when the app ends."
	}
	return "func (Azure Functions Core Tools) was not found.\n" + notice + "\nTo install it: " + installHint
}
