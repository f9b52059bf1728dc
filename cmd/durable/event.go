package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

// eventOptions are the arguments of event.
type eventOptions struct {
	reach
	id, name, data string
}

func newEventCommand() *cobra.Command {
	var o eventOptions
	cmd := &cobra.Command{
		Use: "event ID NAME", Short: "raises an event for an instance",
		Example: "  durable event order-7 Approved\n" +
			`  durable event order-7 Approved --data '{"by":"Ann"}'`,
		Args: want(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.id, o.name = args[0], args[1]
			var err error
			if o.data, err = given(o.data, cmd.InOrStdin()); err != nil {
				return err
			}
			return raiseEvent(cmd.Context(), o)
		},
	}
	o.register(cmd.Flags())
	cmd.Flags().StringVar(&o.data, "data", "null", "data of the event, as `JSON`; @FILE reads a file, - the standard input")
	completeID(cmd, &o.reach)
	return cmd
}

func raiseEvent(ctx context.Context, o eventOptions) error {
	c, err := o.connect(ctx)
	if err != nil {
		return err
	}
	r := request{method: http.MethodPost, path: instancePath(o.id) + "/raiseEvent/" + url.PathEscape(o.name), body: o.data}
	if _, err := c.send(ctx, r); err != nil {
		return fmt.Errorf("event %s: %w", o.id, err)
	}
	return nil
}
