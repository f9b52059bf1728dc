package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// The groups of commands in the help.
const (
	forApps      = "apps"
	forInstances = "instances"
	forHubs      = "hubs"
)

// commands make the tool's commands, by the group of the help that they are in. Each
// is in a file of its own.
var commands = map[string][]func() *cobra.Command{
	forApps: {
		newInitCommand, newNewCommand, newStartCommand, newVetCommand, newReplayCommand, newPackCommand, newPublishCommand,
		newDoctorCommand, newVersionCommand,
	},
	forInstances: instanceCommands,
	forHubs:      {newDashboardCommand, newHubCommand, newEntityCommand, newKeysCommand},
}

// newRoot returns the whole tool. A command writes results to OutOrStdout, and
// anything else to ErrOrStderr; its context ends when the user wants it to stop. What
// it returns decides the exit code: see [run].
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "durable",
		Short: "builds, runs and operates apps of Durable Functions for Go",
		// run prints errors, with its own codes.
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE:          unknownCommand,

		SuggestionsMinimumDistance: 2,
		FParseErrWhitelist:         unknownFlags,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddGroup(
		&cobra.Group{ID: forApps, Title: "An app on this machine, and its deployment:"},
		&cobra.Group{ID: forInstances, Title: "Orchestrations:"},
		&cobra.Group{ID: forHubs, Title: "Task hubs:"},
	)
	for group, makers := range commands {
		for _, make := range makers {
			command := make()
			command.GroupID = group
			root.AddCommand(command)
		}
	}
	return root
}

// unknownFlags lets the flags behind an unknown command be: it is the command that is
// reported.
var unknownFlags = cobra.FParseErrWhitelist{UnknownFlags: true}

// newGroup returns a command that only has others.
func newGroup(name, short string, members ...*cobra.Command) *cobra.Command {
	group := &cobra.Command{Use: name, Short: short, Args: cobra.ArbitraryArgs, RunE: unknownCommand, SuggestionsMinimumDistance: 2, FParseErrWhitelist: unknownFlags}
	group.AddCommand(members...)
	return group
}

// unknownCommand runs where a command that has others is named alone, or with a name
// that it does not have.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		cmd.SetOut(cmd.ErrOrStderr())
		if err := cmd.Help(); err != nil {
			return err
		}
		return usageError{errors.New("a command is missing")}
	}
	text := fmt.Sprintf("there is no command %q", args[0])
	if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
		text += "; do you mean " + strings.Join(like, ", ") + "?"
	}
	return usageError{errors.New(text)}
}

// want checks the arguments of a command that takes between least and most of them,
// named in its Use.
func want(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return usageError{fmt.Errorf("want: %s, got %q", cmd.UseLine(), args)}
		}
		return nil
	}
}

// oneFolder checks the arguments of a command that takes the folder of an app, or
// none for the current one.
func oneFolder(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usageError{fmt.Errorf("one folder at most, got %q", args)}
	}
	return nil
}

// folder is the argument of a command that takes one folder; "" is the current one.
func folder(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}
