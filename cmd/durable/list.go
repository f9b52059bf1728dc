package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

// mostListed is how many instances a list has at most.
const mostListed = 1000

// listOptions are the arguments of list.
type listOptions struct {
	reach
	filter
	form
	max int
}

func newListCommand() *cobra.Command {
	o := listOptions{form: asTable}
	cmd := &cobra.Command{
		Use: "list [FILTERS]", Short: "lists instances, the newest first",
		Long: "list lists the instances that match the flags, the newest first; times are in UTC. Entities are in\n" +
			"durable entity list.",
		Example: "  durable list --status Running,Pending --since 1h\n" +
			"  durable list --name Order --tag region=eu -o wide\n" +
			"  durable list --status Failed -o jsonl | jq -r .instanceId",
		Args: want(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.max < 1 || o.max > mostListed {
				return usageError{fmt.Errorf("--max %d: want 1 to %d; durable count counts any number", o.max, mostListed)}
			}
			c, err := o.connect(cmd.Context())
			if err != nil {
				return err
			}
			return o.list(cmd.Context(), c, cmd)
		},
	}
	o.reach.register(cmd.Flags())
	o.filter.register(cmd.Flags())
	o.form.register(cmd)
	cmd.Flags().IntVar(&o.max, "max", 100, fmt.Sprintf("how many at most, up to %d", mostListed))
	completeFilter(cmd, &o.reach)
	return cmd
}

func (o *listOptions) list(ctx context.Context, c *caller, cmd *cobra.Command) error {
	query, err := o.query()
	if err != nil {
		return err
	}
	query.Set("top", strconv.Itoa(o.max))
	body, err := c.send(ctx, request{method: http.MethodGet, path: "search", query: query})
	if err != nil {
		return err
	}
	var found struct {
		Instances []json.RawMessage
		More      bool
		Since     *time.Time
	}
	if err := json.Unmarshal(body, &found); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if err := rows(cmd.OutOrStdout(), o.form, instanceColumns, found.Instances); err != nil {
		return err
	}
	switch {
	case len(found.Instances) == 0:
		fmt.Fprintln(cmd.ErrOrStderr(), "No instance matches.")
	case found.More:
		fmt.Fprintf(cmd.ErrOrStderr(), "There are more: --max %d ended the list.\n", o.max)
	case found.Since != nil && o.since == "" && o.from == "":
		fmt.Fprintf(cmd.ErrOrStderr(), "There may be older ones: --since or --from name another time than from %s on.\n", found.Since.UTC().Format(time.RFC3339))
	}
	return nil
}

// instance is an instance as the management API tells of it.
type instance struct {
	InstanceID, Name, RuntimeStatus, Version, ExecutionID, Parked, Error string

	CreatedTime, LastUpdatedTime, CompletedTime, ScheduledStartTime *time.Time

	IsChild, IsPurging          bool
	Tags                        map[string]string
	CustomStatus, Input, Output *payload
	WaitingFor                  []waitedFor
}

// payload is a text that the API shows where it is short.
type payload struct {
	Bytes int
	Text  *string
}

func (p *payload) String() string {
	switch {
	case p == nil:
		return ""
	case p.Text == nil:
		return fmt.Sprintf("(%d bytes; -o json shows them)", p.Bytes)
	}
	return *p.Text
}

var instanceColumns = []column[instance]{
	{"INSTANCE", false, func(i *instance) string { return i.InstanceID }},
	{"ORCHESTRATOR", false, func(i *instance) string { return i.Name }},
	{"STATUS", false, (*instance).status},
	{"CREATED", false, func(i *instance) string { return moment(i.CreatedTime) }},
	{"UPDATED", false, func(i *instance) string { return moment(i.LastUpdatedTime) }},
	{"COMPLETED", true, func(i *instance) string { return moment(i.CompletedTime) }},
	{"VERSION", true, func(i *instance) string { return i.Version }},
	{"CHILD", true, func(i *instance) string { return map[bool]string{true: "child"}[i.IsChild] }},
	{"TAGS", true, func(i *instance) string { return joined(i.Tags) }},
	{"CUSTOM STATUS", true, func(i *instance) string { return i.CustomStatus.String() }},
}

// status is the status, with what the official ones do not say.
func (i *instance) status() string {
	switch {
	case i.Error != "":
		return i.RuntimeStatus + " (cannot be read)"
	case i.IsPurging:
		return i.RuntimeStatus + " (being purged)"
	case i.Parked != "":
		return i.RuntimeStatus + " (parked)"
	}
	return i.RuntimeStatus
}

// moment is a time as the flags of filters take it.
func moment(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
