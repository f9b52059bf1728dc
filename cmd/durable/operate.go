package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"
)

// instanceCommands are those that are about orchestrations.
var instanceCommands = []func() *cobra.Command{
	newRunCommand, newListCommand, newCountCommand, newShowCommand, newHistoryCommand, newWaitCommand, newEventCommand, newSuspendCommand, newResumeCommand, newTerminateCommand,
	newRewindCommand, newRestartCommand, newPurgeCommand, newExportCommand, newImportCommand,
}

// operation is a command that does something to one instance, or to all that match a
// filter.
type operation struct {
	reach
	filter
	name              string
	reason            string
	sameID, recursive bool
	yes               bool
}

func newSuspendCommand() *cobra.Command {
	o := &operation{name: "suspend"}
	return o.withReason(o.command("stops the code of instances until they are resumed"))
}

func newResumeCommand() *cobra.Command {
	o := &operation{name: "resume"}
	return o.withReason(o.command("lets suspended instances go on"))
}

func newTerminateCommand() *cobra.Command {
	o := &operation{name: "terminate"}
	return o.withReason(o.withChildren(o.command("ends instances")))
}

func newRewindCommand() *cobra.Command {
	o := &operation{name: "rewind"}
	return o.withReason(o.command("tries again what failed last in failed instances"))
}

func newRestartCommand() *cobra.Command {
	o := &operation{name: "restart"}
	cmd := o.command("starts finished instances once more")
	cmd.Flags().BoolVar(&o.sameID, "same-id", false, "under the same id, in place of the old instance")
	return cmd
}

func newPurgeCommand() *cobra.Command {
	o := &operation{name: "purge"}
	return o.withChildren(o.command("removes finished instances"))
}

// command is the operation's, without the flags of its own.
func (o *operation) command(short string) *cobra.Command {
	cmd := &cobra.Command{
		Use: o.name + " ID | FILTERS", Short: short,
		Long: fmt.Sprintf("%s %s: one by its id, or all that match the flags. Those are only counted, unless --yes is given.", o.name, short),
		Example: "  durable " + o.name + " order-7\n" +
			"  durable " + o.name + " --name Order --since 1d\n" +
			"  durable " + o.name + " --name Order --since 1d --yes",
		Args: want(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(args); err != nil {
				return err
			}
			c, err := o.caller(cmd.Context())
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return o.one(cmd.Context(), c, args[0], cmd.OutOrStdout())
			}
			p := newProgress(cmd)
			defer p.end()
			return o.batch(cmd.Context(), c, cmd, p)
		},
	}
	o.reach.register(cmd.Flags())
	o.filter.register(cmd.Flags())
	cmd.Flags().BoolVar(&o.yes, "yes", false, "do it to all that match; otherwise they are counted")
	completeFilter(cmd, &o.reach)
	completeID(cmd, &o.reach)
	return cmd
}

func (o *operation) withReason(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().StringVar(&o.reason, "reason", "", "a `text` that is kept with the instance")
	return cmd
}

func (o *operation) withChildren(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().BoolVar(&o.recursive, "recursive", false, "the children, too")
	return cmd
}

func (o *operation) check(args []string) error {
	if len(args) == 0 && (o.recursive || o.sameID) {
		return usageError{errors.New("--recursive and --same-id are for one instance: name its id")}
	}
	return o.reach.check()
}

// one does the operation to one instance.
func (o *operation) one(ctx context.Context, c *caller, id string, out io.Writer) error {
	r := request{method: http.MethodPost, path: instancePath(id) + "/" + o.name, query: url.Values{}}
	set(r.query, "reason", o.reason)
	if o.recursive {
		r.query.Set("recursive", "true")
	}
	switch o.name {
	case "purge":
		r.method, r.path = http.MethodDelete, instancePath(id)
	case "restart":
		r.query.Set("restartWithNewInstanceId", strconv.FormatBool(!o.sameID))
	}
	body, err := c.send(ctx, r)
	if err != nil {
		return fmt.Errorf("%s %s: %w", o.name, id, err)
	}
	var started struct{ ID string }
	if o.name == "restart" && json.Unmarshal(body, &started) == nil {
		fmt.Fprintln(out, started.ID)
	}
	return nil
}

// batch counts the instances that match, or does the operation to all of them.
func (o *operation) batch(ctx context.Context, c *caller, cmd *cobra.Command, p *progress) error {
	query, err := o.query()
	if err != nil {
		return err
	}
	set(query, "reason", o.reason)
	query.Set("dryRun", strconv.FormatBool(!o.yes))
	done, failed := 0, 0
	for {
		body, err := c.send(ctx, request{method: http.MethodPost, path: "batch/" + o.name, query: query})
		if err != nil && done > 0 {
			return fmt.Errorf("after %d instances: %w", done, err)
		}
		if err != nil {
			return err
		}
		var part struct {
			Matched, Done, Failed int
			Failures              []struct{ InstanceID, Message string }
			More                  bool
			Token                 string
		}
		if err := json.Unmarshal(body, &part); err != nil {
			return fmt.Errorf("reading the answer to the batch: %w", err)
		}
		if !o.yes {
			more := map[bool]string{true: " and more"}[part.More]
			fmt.Fprintf(cmd.OutOrStdout(), "%d%s instances match and are in a state for it; with --yes they are changed\n", part.Matched, more)
			return nil
		}
		p.end()
		for _, f := range part.Failures {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s\n", plain(f.InstanceID), plain(f.Message))
		}
		done, failed = done+part.Done, failed+part.Failed
		if !part.More {
			break
		}
		p.say("%d instances done", done)
		query.Set("token", part.Token)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%d instances done\n", done)
	if failed > 0 {
		return fmt.Errorf("%d instances were left as they are", failed)
	}
	return nil
}

// instancePath is the path of an instance in the management API.
func instancePath(id string) string { return "instances/" + url.PathEscape(id) }
