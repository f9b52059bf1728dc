package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// runOptions are the arguments of run.
type runOptions struct {
	reach
	waitOptions
	name, input, id, version, at string
	tags                         []string
	noWait                       bool
}

func newRunCommand() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use: "run NAME", Short: "starts an orchestrator, waits for its end and prints its output",
		Long: "run starts an orchestrator, waits until the instance has ended and prints its output, or with -o the\n" +
			"instance. Where it is started through storage, nothing checks the name: the app knows its orchestrators." + waitCodes,
		Example: "  durable run Orchestrator\n" +
			"  durable run Order --input @order.json --timeout 1m\n" +
			`  durable run Order --input '{"sku":"A7"}' --id order-7 --no-wait`,
		Args: want(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := errors.Join(o.waitOptions.check(), o.reach.check()); err != nil {
				return err
			}
			o.name = args[0]
			var err error
			if o.input, err = given(o.input, cmd.InOrStdin()); err != nil {
				return err
			}
			c, err := o.caller(cmd.Context())
			if err != nil {
				return err
			}
			p := newProgress(cmd)
			defer p.end()
			return o.run(cmd.Context(), c, cmd.OutOrStdout(), p)
		},
	}
	o.reach.register(cmd.Flags())
	o.waitOptions.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.input, "input", "", "input, as `JSON`; @FILE reads a file, - the standard input")
	flags.StringVar(&o.id, "id", "", "instance `id` (default: a random one)")
	flags.StringVar(&o.version, "version", "", "version of the orchestrator")
	flags.StringArrayVar(&o.tags, "tag", nil, "`NAME=VALUE`, may be repeated")
	flags.StringVar(&o.at, "at", "", "`time` before which it does not start, such as 2026-01-31T12:00:00Z")
	flags.BoolVar(&o.noWait, "no-wait", false, "print the id and do not wait for the end")
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return beginning(o.knownNames(cmd), word), cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

// given is the text of a flag that may also name a file, as @FILE, or the standard
// input, as -.
func given(text string, in io.Reader) (string, error) {
	name, isFile := strings.CutPrefix(text, "@")
	switch {
	case text == "-":
		raw, err := io.ReadAll(in)
		return string(raw), err
	case isFile:
		raw, err := os.ReadFile(name)
		return string(raw), err
	}
	return text, nil
}

func (o *runOptions) run(ctx context.Context, c *caller, out io.Writer, p *progress) error {
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
	return o.wait(ctx, c, started.ID, out, p)
}
