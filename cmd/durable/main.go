// Command durable is the tool beside an app: it runs it on a developer's
// machine, and shows and operates its task hub. "durable help" lists its
// commands, docs/cli.md describes them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go watchParent(ctx, cancel)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// The exit codes that all commands share.
const (
	failedCode = 1 // anything that has no code of its own
	usageCode  = 2 // a mistake in the arguments
	absentCode = 3 // the instance or the entity is not there
)

// run runs the command that the arguments name and returns the exit code: 0 for
// what the user has ended, 2 for a wrong use, 3 for
// what is not there, that of a *codeError, 1 for anything
// else. Results go to out; what went wrong, and progress, to problems.
func run(ctx context.Context, args []string, out, problems io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(problems)
	command, err := root.ExecuteContextC(ctx)
	coded := &codeError{code: failedCode}
	switch {
	case err == nil, errors.Is(err, errStopped):
		return 0
	case errors.As(err, new(usageError)):
		coded.code = usageCode
		err = fmt.Errorf("%w\n%s --help shows how to use it", err, command.CommandPath())
	case errors.As(err, new(absentError)):
		coded.code = absentCode
	default:
		errors.As(err, &coded)
	}
	fmt.Fprintf(problems, "%s: %v\n", command.CommandPath(), err)
	return coded.code
}

// errStopped means that the user has ended the program.
var errStopped = errors.New("stopped")

// usageError is a mistake in the arguments.
type usageError struct{ error }

// codeError ends the program with an exit code of its own.
type codeError struct {
	code int
	error
}
