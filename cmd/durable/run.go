package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

// runOptions are the arguments of run.
type runOptions struct {
	reach
	name, input, id, version, at string
	tags                         []string
	noWait                       bool
}

func newRunCommand() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use: "run NAME", Short: "starts an orchestrator, waits for its end and prints its output",
		Example: "  durable run Orchestrator\n" +
			`  durable run Order --input '{"sku":"A7"}' --id order-7 --no-wait`,
		Args: want(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			o.name = args[0]
			c, err := o.caller(cmd.Context())
			if err != nil {
				return err
			}
			return o.run(cmd.Context(), c, cmd.OutOrStdout())
		},
	}
	o.register(cmd.Flags())
	flags := cmd.Flags()
	flags.StringVar(&o.input, "input", "", "input, as `JSON`")
	flags.StringVar(&o.id, "id", "", "instance `id` (default: a random one)")
	flags.StringVar(&o.version, "version", "", "version of the orchestrator")
	flags.StringArrayVar(&o.tags, "tag", nil, "`NAME=VALUE`, may be repeated")
	flags.StringVar(&o.at, "at", "", "`time` before which it does not start, such as 2026-01-31T12:00:00Z")
	flags.BoolVar(&o.noWait, "no-wait", false, "print the id and do not wait for the end")
	return cmd
}

func (o *runOptions) run(ctx context.Context, c *caller, out io.Writer) error {
	query := url.Values{"tag": o.tags}
	set(query, "version", o.version)
	set(query, "scheduledStartTime", o.at)
	path := "orchestrators/" + url.PathEscape(o.name)
	if o.id != "" {
		path += "/" + url.PathEscape(o.id)
	}
	body, err := c.send(ctx, request{method: http.MethodPost, path: path, query: query, body: o.input})
	if err != nil {
		return err
	}
	var started struct{ ID string }
	if err := json.Unmarshal(body, &started); err != nil {
		return fmt.Errorf("reading the answer to the start: %w", err)
	}
	if o.noWait {
		fmt.Fprintln(out, started.ID)
		return nil
	}
	return c.wait(ctx, started.ID, out)
}

// holdStatus is how long a request for the end of an instance is held.
const holdStatus = "wait=60"

// wait waits for the end of an instance and prints its output.
func (c *caller) wait(ctx context.Context, id string, out io.Writer) error {
	for {
		body, err := c.send(ctx, request{method: http.MethodGet, path: instancePath(id), query: url.Values{"showInput": {"false"}}, prefer: holdStatus})
		if err != nil {
			return fmt.Errorf("instance %s: %w", id, err)
		}
		var status struct {
			RuntimeStatus string
			Output        json.RawMessage
		}
		if err := json.Unmarshal(body, &status); err != nil {
			return fmt.Errorf("instance %s: reading its status: %w", id, err)
		}
		switch status.RuntimeStatus {
		case "Completed":
			fmt.Fprintf(out, "%s\n", status.Output)
			return nil
		case "Failed", "Terminated", "Canceled":
			return fmt.Errorf("instance %s: %s: %s", id, status.RuntimeStatus, status.Output)
		}
	}
}
