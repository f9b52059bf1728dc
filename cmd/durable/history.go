package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// historyOptions are the arguments of history.
type historyOptions struct {
	reach
	form
	id     string
	follow bool
	every  time.Duration // between two looks
}

func newHistoryCommand() *cobra.Command {
	o := historyOptions{form: asTable}
	cmd := &cobra.Command{
		Use: "history ID", Short: "shows the history of an instance, also as it grows",
		Long: "history shows the events of an instance as they are stored. With --follow it goes on until the\n" +
			"instance has finished. Long payloads are only counted: durable export has all of them.",
		Example: "  durable history order-7\n" +
			"  durable history order-7 --follow -o wide\n" +
			"  durable history order-7 -o jsonl | jq -r .type",
		Args: want(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case o.every <= 0:
				return usageError{fmt.Errorf("--every %v: must be above 0", o.every)}
			case o.follow && o.form == asJSON:
				return usageError{fmt.Errorf("--follow and -o json do not go together: -o jsonl is one event a line")}
			}
			o.id = args[0]
			c, err := o.connect(cmd.Context())
			if err != nil {
				return err
			}
			return o.show(cmd.Context(), c, cmd)
		},
	}
	o.reach.register(cmd.Flags())
	o.form.register(cmd)
	cmd.Flags().BoolVarP(&o.follow, "follow", "f", false, "go on until the instance has finished")
	cmd.Flags().DurationVar(&o.every, "every", time.Second, "time between two looks of --follow")
	completeID(cmd, &o.reach)
	return cmd
}

// tail is how much of a history was read.
type tail struct {
	execution string
	next      uint64
}

func (o *historyOptions) show(ctx context.Context, c *caller, cmd *cobra.Command) error {
	for read := (tail{}); ; {
		// What has finished before the events are read gets no more of them.
		finished, err := c.finished(ctx, o.id)
		if err != nil {
			return fmt.Errorf("instance %s: %w", o.id, err)
		}
		before := read
		events, err := c.eventsFrom(ctx, o.id, &read)
		if err != nil {
			return fmt.Errorf("instance %s: %w", o.id, err)
		}
		if err := o.print(cmd, events, before, read); err != nil {
			return err
		}
		if finished || !o.follow {
			return nil
		}
		select {
		case <-ctx.Done():
			return errStopped
		case <-time.After(o.every):
		}
	}
}

// finished reports whether an instance has ended.
func (c *caller) finished(ctx context.Context, id string) (bool, error) {
	body, err := c.send(ctx, request{method: http.MethodGet, path: instancePath(id) + "/details"})
	if err != nil {
		return false, err
	}
	var i instance
	if err := json.Unmarshal(body, &i); err != nil {
		return false, fmt.Errorf("reading the answer: %w", err)
	}
	return ended(i.RuntimeStatus), nil
}

// ended reports whether a status is one that stays.
func ended(status string) bool {
	return status == "Completed" || status == "Failed" || status == "Terminated" || status == "Canceled"
}

// eventsFrom reads the events behind those that were read. Where another execution
// has taken the place of that one, they are all of its events.
func (c *caller) eventsFrom(ctx context.Context, id string, read *tail) (events []json.RawMessage, err error) {
	for {
		query := url.Values{}
		if read.next > 0 {
			query = url.Values{"from": {strconv.FormatUint(read.next, 10)}, "execution": {read.execution}}
		}
		body, err := c.send(ctx, request{method: http.MethodGet, path: instancePath(id) + "/events", query: query})
		if err != nil {
			return nil, err
		}
		var page struct {
			Execution    string
			Events       []json.RawMessage
			Next, Stored uint64
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return nil, fmt.Errorf("reading the answer: %w", err)
		}
		if page.Execution != read.execution {
			events = nil
		}
		events = append(events, page.Events...)
		*read = tail{page.Execution, page.Next}
		if page.Next >= page.Stored || len(page.Events) == 0 {
			return events, nil
		}
	}
}

// historyEvent is an event as the management API tells of it.
type historyEvent struct {
	Row              uint64
	Type             string
	At               time.Time
	TaskID           *int32
	Name, InstanceID string
	Status           string
	FireAt           *time.Time

	Input, Result, Reason *payload
	Failure               *struct{ Type, Message string }
}

// print writes events in lines, so that those that come later fit below: those between
// what was read before and what is read now.
func (o *historyOptions) print(cmd *cobra.Command, events []json.RawMessage, before, now tail) error {
	out := cmd.OutOrStdout()
	if before.execution != "" && before.execution != now.execution {
		fmt.Fprintf(cmd.ErrOrStderr(), "Another execution of %s:\n", o.id)
	}
	switch o.form {
	case asJSON:
		return indented(out, events)
	case asLines:
		return lines(out, events)
	}
	const line = "%5s  %-20s  %-32s  %s\n"
	if before.next == 0 && len(events) > 0 {
		fmt.Fprintf(out, line, "EVENT", "TIME", "TYPE", "WHAT")
	}
	for _, raw := range events {
		var e historyEvent
		if err := json.Unmarshal(raw, &e); err != nil {
			return fmt.Errorf("reading an event: %w", err)
		}
		what := strings.TrimRight(fmt.Sprintf(line, strconv.FormatUint(e.Row, 10), moment(&e.At), e.Type, plain(e.what(o.form))), " \n")
		if _, err := fmt.Fprintln(out, what); err != nil {
			return err
		}
	}
	return nil
}

// what is an event in words.
func (e *historyEvent) what(f form) string {
	var words []string
	add := func(text string) {
		if text != "" {
			words = append(words, text)
		}
	}
	add(e.Name)
	add(e.InstanceID)
	if e.TaskID != nil {
		add(fmt.Sprintf("of call %d", *e.TaskID))
	}
	add(e.Status)
	if e.FireAt != nil {
		add("at " + moment(e.FireAt))
	}
	if e.Failure != nil {
		add(e.Failure.Type + ": " + e.Failure.Message)
	}
	if f == asWide {
		add(e.Input.String())
		add(e.Result.String())
		add(e.Reason.String())
	}
	return strings.Join(words, " ")
}
