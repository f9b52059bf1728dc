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
	"slices"
	"strings"

	"github.com/durable-go/functions/internal/jsonc"
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
	watch  bool
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
			"  durable start --watch\n" +
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
	cmd.Flags().BoolVar(&o.watch, "watch", false, "build and start the app anew when its files have changed")
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
	env = withTaskHub(o.dir, env, out)
	host, err := findHost(o, env)
	if err != nil {
		return err
	}
	built := fingerprint(o.dir) // what changes from here on is not in the program
	handler, err := buildApp(ctx, o.dir, out)
	if err != nil {
		return stopped(ctx, err)
	}
	emulator, err := startEmulator(ctx, o.dir, env, out)
	if err != nil {
		return stopped(ctx, err)
	}
	var emulatorEnded <-chan struct{}
	if emulator != nil {
		defer emulator.Stop()
		emulatorEnded = emulator.Done()
	}
	if host == "" {
		fmt.Fprintln(out, standaloneNotice(env))
	}
	hints(o, out)
	command := func() *exec.Cmd {
		cmd := hostCommand(o, host, env)
		if host == "" {
			cmd = standaloneCommand(o, handler, env)
		}
		cmd.Stdout, cmd.Stderr = out, os.Stderr
		return cmd
	}
	if !o.watch {
		_, err := supervise(ctx, command(), needs{emulator: emulatorEnded}, out)
		return err
	}
	return superviseWatched(ctx, command, emulatorEnded, snapshot{o.dir, built}, handler, out)
}

// superviseWatched runs the app, and runs it anew whenever it was built anew.
func superviseWatched(ctx context.Context, command func() *exec.Cmd, emulatorEnded <-chan struct{}, from snapshot, handler string, out io.Writer) error {
	watching, cancel := context.WithCancel(ctx)
	w := watch(watching, from, watchEvery, out)
	defer w.stop()
	defer cancel()
	for {
		next, err := supervise(ctx, command(), needs{emulator: emulatorEnded, built: w.built}, out)
		if err == nil {
			err = takeOver(next, handler)
		} else if errors.As(err, new(endedError)) {
			fmt.Fprintf(out, "%v; it is started anew when its files have changed\n", err)
			err = w.await(ctx, emulatorEnded, handler)
		}
		if err != nil {
			return err
		}
		fmt.Fprintln(out, "Starting the app anew")
	}
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

// handlerName is the path of a program in the app's folder.
func handlerName(name string) string {
	name = filepath.Join("bin", name)
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return name
}

// buildApp compiles the app to where host.json has it.
func buildApp(ctx context.Context, dir string, out io.Writer) (string, error) {
	handler := handlerName("handler")
	fmt.Fprintf(out, "Building %s (the first time Go loads modules, which may take a minute)\n", handler)
	return buildInto(ctx, dir, handler, out)
}

// buildInto compiles the app to a path in its folder. What go prints goes to out, as it
// comes.
func buildInto(ctx context.Context, dir, program string, out io.Writer) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("building the app in %s: %w (see above)", dir, err)
	}
	return filepath.Join(dir, program), nil
}

// withTaskHub sets the setting TaskHub, which function.json files name, to the hub of
// host.json where nothing sets it.
func withTaskHub(dir string, env environment, out io.Writer) environment {
	if env.get("TaskHub") != "" {
		return env
	}
	var host struct {
		Extensions struct{ DurableTask struct{ HubName string } }
	}
	raw, err := os.ReadFile(filepath.Join(dir, "host.json"))
	if err != nil || jsonc.Unmarshal(raw, &host) != nil {
		return env // the app says what is wrong with it
	}
	name := host.Extensions.DurableTask.HubName
	if name == "" || strings.Contains(name, "%") {
		return env
	}
	fmt.Fprintf(out, "The setting TaskHub is not set: taking %s, the hubName of host.json\n", name)
	env.own = append(slices.Clone(env.own), "TaskHub="+name)
	return env
}

// hints say what the app can be asked once it runs, and what it lacks for that.
func hints(o options, out io.Writer) {
	for _, folder := range []string{"DurableTask", "DurableTaskLinks"} {
		if _, err := os.Stat(filepath.Join(o.dir, folder, "function.json")); err != nil {
			fmt.Fprintf(out, "There is no %s/function.json: what leads to /api/%s gets no answer (durable doctor says more)\n", folder, strings.ToLower(folder))
			return
		}
	}
	fmt.Fprintf(out, "Once the app runs, there is\n\thttp://localhost:%[1]d%[2]s/dashboard\nand in another terminal\n\tdurable run NAME --url http://localhost:%[1]d\n", o.port, dashboardAPI)
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
		notice += "\nThe task hub is in memory: it is gone when the app ends."
		if _, err := exec.LookPath("func"); err == nil {
			notice += "\nfunc is not used, though it is there: the Functions host needs a storage account, such as Azurite's (durable start without --storage memory)."
		}
		return notice
	}
	return "func (Azure Functions Core Tools) was not found.\n" + notice + "\nTo install it: " + installHint
}
