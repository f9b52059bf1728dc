package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

// Exit codes of what waits for an instance.
const (
	unsuccessfulCode = 4 // it has failed, or was terminated
	timeoutCode      = 5 // it goes on
)

const waitCodes = `

Exit codes: 0 it has completed; 3 there is no such instance; 4 it has failed or was terminated;
5 the time is over, and it goes on; 2 wrong arguments; 1 anything else.`

// waitOptions are the arguments of what waits for an instance.
type waitOptions struct {
	form    // empty: the output alone
	timeout time.Duration
}

func (o *waitOptions) register(cmd *cobra.Command) {
	o.form.register(cmd)
	cmd.Flags().Lookup("output").Usage = "`form` of the instance: table, wide, json, jsonl (default: its output alone)"
	cmd.Flags().DurationVar(&o.timeout, "timeout", 0, "how long to wait at most (default: until it has ended)")
}

func (o *waitOptions) check() error {
	if o.timeout < 0 {
		return usageError{fmt.Errorf("--timeout %v: must not be below 0", o.timeout)}
	}
	return nil
}

func newWaitCommand() *cobra.Command {
	var r reach
	var o waitOptions
	cmd := &cobra.Command{
		Use: "wait ID", Short: "waits for the end of an instance and prints its output",
		Long: "wait waits until an instance has ended and prints its output, or with -o the instance." + waitCodes,
		Example: "  durable wait order-7\n" +
			"  durable wait order-7 --timeout 5m -o json || echo \"exit code $?\"",
		Args: want(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := errors.Join(o.check(), r.check()); err != nil {
				return err
			}
			c, err := r.caller(cmd.Context())
			if err != nil {
				return err
			}
			p := newProgress(cmd)
			defer p.end()
			return o.wait(cmd.Context(), c, args[0], cmd.OutOrStdout(), p)
		},
	}
	r.register(cmd.Flags())
	o.register(cmd)
	completeID(cmd, &r)
	return cmd
}

// How long a request for the end of an instance is held: for a while, or, where a
// terminal shows how it goes on, not so long.
const (
	holdStatus  = "wait=60"
	holdShortly = "wait=2"
)

// wait waits for the end of an instance and prints its output, or the instance.
func (o *waitOptions) wait(ctx context.Context, c *caller, id string, out io.Writer, p *progress) error {
	timed := ctx
	if o.timeout > 0 {
		var cancel context.CancelFunc
		timed, cancel = context.WithTimeout(ctx, o.timeout)
		defer cancel()
	}
	status, output, err := c.untilEnded(timed, id, p)
	p.end()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("instance %s: stopped waiting; it goes on", id)
	case timed.Err() != nil:
		return &codeError{timeoutCode, fmt.Errorf("instance %s: not ended after %v; it goes on", id, o.timeout)}
	case err != nil:
		return fmt.Errorf("instance %s: %w", id, err)
	}
	if o.form != "" {
		err = c.show(ctx, id, o.form, out)
	} else if status == "Completed" {
		_, err = fmt.Fprintf(out, "%s\n", output)
	}
	if err == nil && status != "Completed" {
		err = &codeError{unsuccessfulCode, fmt.Errorf("instance %s: %s: %s", id, status, output)}
	}
	return err
}

// untilEnded returns how an instance has ended.
func (c *caller) untilEnded(ctx context.Context, id string, p *progress) (status string, output json.RawMessage, err error) {
	r := request{method: http.MethodGet, path: instancePath(id), query: url.Values{"showInput": {"false"}}}
	hold := holdStatus
	if p.w != nil {
		hold = holdShortly
	}
	for begun := time.Now(); ; r.prefer = hold {
		body, err := c.send(ctx, r)
		if err != nil {
			return "", nil, err
		}
		var now struct {
			RuntimeStatus string
			Output        json.RawMessage
		}
		if err := json.Unmarshal(body, &now); err != nil {
			return "", nil, fmt.Errorf("reading its status: %w", err)
		}
		if ended(now.RuntimeStatus) {
			return now.RuntimeStatus, now.Output, nil
		}
		p.say("%s: %s, %v", plain(id), now.RuntimeStatus, time.Since(begun).Round(time.Second))
	}
}
