package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"
)

// entityListOptions are the arguments of entity list.
type entityListOptions struct {
	reach
	form
	name, prefix, since, from, to string
	deleted                       bool
	max                           int
}

func newEntityListCommand() *cobra.Command {
	o := entityListOptions{form: asTable}
	cmd := &cobra.Command{
		Use: "list", Short: "lists entities",
		Example: "  durable entity list\n" +
			"  durable entity list --name Account --prefix a --since 1d -o json",
		Args: want(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case o.max < 1:
				return usageError{fmt.Errorf("--max %d: want 1 or more", o.max)}
			case o.prefix != "" && o.name == "":
				return usageError{fmt.Errorf("--prefix %s is of keys: name the entity with --name", o.prefix)}
			}
			c, err := o.connect(cmd.Context())
			if err != nil {
				return err
			}
			return o.list(cmd.Context(), c, cmd)
		},
	}
	o.reach.register(cmd.Flags())
	o.form.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.name, "name", "", "name of the entity")
	flags.StringVar(&o.prefix, "prefix", "", "what the keys begin with; needs --name")
	flags.StringVar(&o.since, "since", "", "last operation within this `time`, such as 1h or 7d")
	flags.StringVar(&o.from, "from", "", "last operation from this `time` on, such as 2026-01-31T12:00:00Z")
	flags.StringVar(&o.to, "to", "", "last operation until this `time`")
	flags.BoolVar(&o.deleted, "deleted", false, "also those without a state")
	flags.IntVar(&o.max, "max", 100, "how many at most")
	return cmd
}

func (o *entityListOptions) query() (url.Values, error) {
	query := url.Values{"details": {"true"}, "fetchState": {"true"}}
	set(query, "keyPrefix", o.prefix)
	set(query, "lastOperationTimeFrom", o.from)
	set(query, "lastOperationTimeTo", o.to)
	if o.deleted {
		query.Set("includeDeleted", "true")
	}
	return query, setSince(query, "lastOperationTimeFrom", o.since)
}

func (o *entityListOptions) list(ctx context.Context, c *caller, cmd *cobra.Command) error {
	query, err := o.query()
	if err != nil {
		return err
	}
	r := request{method: http.MethodGet, path: "entities", query: query}
	if o.name != "" {
		r.path += "/" + url.PathEscape(o.name)
	}
	var all []json.RawMessage
	for more := true; more && len(all) <= o.max; more = r.token != "" {
		got, err := c.do(ctx, r)
		if err != nil {
			return err
		}
		var page []json.RawMessage
		if err := json.Unmarshal(got.body, &page); err != nil {
			return fmt.Errorf("reading the answer: %w", err)
		}
		all, r.token = append(all, page...), got.next
	}
	left := len(all) > o.max || r.token != ""
	all = all[:min(len(all), o.max)]
	if err := rows(cmd.OutOrStdout(), o.form, entityColumns, all); err != nil {
		return err
	}
	switch {
	case len(all) == 0:
		fmt.Fprintln(cmd.ErrOrStderr(), "No entity matches.")
	case left:
		fmt.Fprintf(cmd.ErrOrStderr(), "There are more: --max %d ended the list.\n", o.max)
	}
	return nil
}

var entityColumns = []column[entity]{
	{"ENTITY", false, (*entity).id},
	{"LAST OPERATION", false, func(e *entity) string { return moment(e.LastOperationTime) }},
	{"WAITING", false, func(e *entity) string { return strconv.Itoa(e.Waiting) }},
	{"LOCKED BY", false, func(e *entity) string { return e.LockedBy }},
	{"EXISTS", true, func(e *entity) string { return strconv.FormatBool(e.Exists) }},
	{"STATE", true, func(e *entity) string { return e.State.String() }},
}
