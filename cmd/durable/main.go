// Command durable is the tool beside an app: it runs it on a developer's
// machine, and shows and operates its task hub.
//
//	durable start [--storage memory] [--func PATH] [--port N] [DIR]
//	durable vet [flags] [packages]
//	durable pack [--out FILE] [--arch amd64|arm64] [--include PATH] [DIR]
//	durable publish [--package FILE] [--dedicated] APP
//	durable dashboard [--hub NAME | --url ADDRESS --key KEY] [--read-only] [--port N] [DIR]
//	durable run NAME [--input JSON]
//	durable event ID NAME [--data JSON]
//	durable suspend|resume|terminate|rewind|restart|purge ID
//	durable suspend|resume|terminate|rewind|restart|purge [--status ...] --yes
//	durable export [--status ...] [--name NAME] [--out DIR]
//	durable keys rotate [--grace 24h] [--hub NAME] [DIR]
//	durable hub check [--repair] [-o json] [--hub NAME] [DIR]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// command is one of the tool's commands.
type command struct {
	name    string
	summary string
	// run gets the arguments behind the name. ctx ends when the user wants it
	// to stop.
	run func(ctx context.Context, args []string, out io.Writer) error
}

var commands = []command{
	{"start", "builds the app in a folder and runs it, with the storage emulator if need be", start},
	{"vet", "reports what breaks orchestrators, before they run", vet},
	{"pack", "builds the app for Linux and makes the zip file that is deployed", pack},
	{"publish", "deploys the zip file to a Function App", publish},
	{"dashboard", "shows a task hub in the browser: of a storage account, or of a deployed app", showDashboard},
	{"run", "starts an orchestrator, waits for its end and prints its output", operate("run")},
	{"event", "raises an event for an instance", operate("event")},
	{"suspend", "stops the code of instances until they are resumed", operate("suspend")},
	{"resume", "lets suspended instances go on", operate("resume")},
	{"terminate", "ends instances", operate("terminate")},
	{"rewind", "tries again what failed last in failed instances", operate("rewind")},
	{"restart", "starts finished instances once more", operate("restart")},
	{"purge", "removes finished instances", operate("purge")},
	{"export", "saves histories, which tests replay before a deployment", export},
	{"hub", "hub check: reports what is inconsistent in a task hub, and mends it", checkHub},
	{"keys", "keys rotate: makes a new key for the signed links of a task hub", keys},
}

// errStopped means that the user has ended the program.
var errStopped = errors.New("stopped")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go watchParent(ctx, cancel)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run runs the command that the arguments name and returns the exit code: 0 for
// what the user has ended, 2 for a wrong use, that of a *codeError, 1 for anything
// else.
func run(ctx context.Context, args []string, out, problems io.Writer) int {
	if len(args) == 0 {
		usage(problems)
		return 2
	}
	for _, c := range commands {
		if c.name != args[0] {
			continue
		}
		err := c.run(ctx, args[1:], out)
		coded := &codeError{code: 1}
		switch {
		case err == nil, errors.Is(err, errStopped), errors.Is(err, flag.ErrHelp):
			return 0
		case errors.As(err, new(usageError)):
			fmt.Fprintf(problems, "durable %s: %v\n", c.name, err)
			return 2
		}
		errors.As(err, &coded)
		fmt.Fprintf(problems, "durable %s: %v\n", c.name, err)
		return coded.code
	}
	if args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(out)
		return 0
	}
	fmt.Fprintf(problems, "durable: there is no command %q\n", args[0])
	usage(problems)
	return 2
}

// usageError is a mistake in the arguments.
type usageError struct{ error }

// parseFlags parses the arguments of a command. Its errors are [flag.ErrHelp] and
// usageErrors.
func parseFlags(flags *flag.FlagSet, args []string) error {
	err := flags.Parse(args)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return err
	}
	return usageError{err}
}

// codeError ends the program with an exit code of its own.
type codeError struct {
	code int
	error
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "usage: durable COMMAND [arguments]")
	for _, c := range commands {
		fmt.Fprintf(w, "\n  %-10s %s\n", c.name, c.summary)
	}
	fmt.Fprintln(w, "\ndurable COMMAND -h tells more.")
}
