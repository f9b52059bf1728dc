package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// showOptions are the arguments of show.
type showOptions struct {
	reach
	form
	id string
}

func newShowCommand() *cobra.Command {
	o := showOptions{form: asTable}
	cmd := &cobra.Command{
		Use: "show ID", Short: "shows an instance: its status, what it waits for, input and output",
		Long: "show shows what is known of an instance. Long payloads are only counted in a table; as JSON they are\n" +
			"there as they are. -o wide has the children, too.",
		Example: "  durable show order-7\n" +
			"  durable show order-7 -o json | jq .output",
		Args: want(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.id = args[0]
			c, err := o.connect(cmd.Context())
			if err != nil {
				return err
			}
			return c.show(cmd.Context(), o.id, o.form, cmd.OutOrStdout())
		},
	}
	o.reach.register(cmd.Flags())
	o.form.register(cmd)
	completeID(cmd, &o.reach)
	return cmd
}

// show prints an instance.
func (c *caller) show(ctx context.Context, id string, f form, out io.Writer) error {
	body, err := c.send(ctx, request{method: http.MethodGet, path: instancePath(id) + "/details", query: url.Values{"waiting": {"true"}}})
	if err != nil {
		return fmt.Errorf("instance %s: %w", id, err)
	}
	if f == asJSON || f == asLines {
		whole, err := c.withPayloads(ctx, id, body)
		switch {
		case err != nil:
			return fmt.Errorf("instance %s: %w", id, err)
		case f == asJSON:
			return indented(out, whole)
		}
		return lines(out, []json.RawMessage{whole})
	}
	var i instance
	if err := json.Unmarshal(body, &i); err != nil {
		return fmt.Errorf("instance %s: reading the answer: %w", id, err)
	}
	pairs := i.facts()
	if f == asWide {
		children, err := c.children(ctx, id)
		if err != nil {
			return err
		}
		pairs = append(append(pairs, [2]string{"Execution", i.ExecutionID}), children...)
	}
	return facts(out, pairs)
}

// facts are what is known of an instance, in words.
func (i *instance) facts() [][2]string {
	name := i.Name
	if i.Version != "" {
		name += ", version " + i.Version
	}
	pairs := [][2]string{
		{"Instance", i.InstanceID}, {"Orchestrator", name}, {"Status", i.status()},
		{"Created", moment(i.CreatedTime)}, {"Starts", moment(i.ScheduledStartTime)}, {"Updated", moment(i.LastUpdatedTime)},
		{"Completed", moment(i.CompletedTime)}, {"Tags", joined(i.Tags)}, {"Parked", i.Parked}, {"Error", i.Error},
	}
	for _, w := range i.WaitingFor {
		pairs = append(pairs, [2]string{"Waits for", w.String()})
	}
	return append(pairs, [][2]string{
		{"Custom status", i.CustomStatus.String()}, {"Input", i.Input.String()}, {"Output", i.Output.String()},
	}...)
}

// waitedFor is something that an instance waits for.
type waitedFor struct {
	Kind, Name, InstanceID, Text, Where string
	Count                               int
	Since, Until                        *time.Time
}

func (w *waitedFor) String() string {
	words := []string{w.Kind}
	if w.Name != "" {
		words = append(words, w.Name)
	}
	if w.Count > 1 {
		words = append(words, fmt.Sprintf("(%d)", w.Count))
	}
	if w.InstanceID != "" {
		words = append(words, w.InstanceID)
	}
	if w.Since != nil {
		words = append(words, "since "+moment(w.Since))
	}
	if w.Until != nil {
		words = append(words, "until "+moment(w.Until))
	}
	if w.Where != "" {
		words = append(words, "at "+w.Where)
	}
	return strings.Join(words, " ")
}

// children are those of an instance, in words.
func (c *caller) children(ctx context.Context, id string) (pairs [][2]string, err error) {
	body, err := c.send(ctx, request{method: http.MethodGet, path: instancePath(id) + "/children"})
	if errors.Is(err, errNoInstance) {
		return nil, nil // it has not begun
	}
	if err != nil {
		return nil, fmt.Errorf("the children of %s: %w", id, err)
	}
	var list struct {
		Children []struct{ InstanceID, Name, RuntimeStatus string }
		Total    int
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("the children of %s: reading the answer: %w", id, err)
	}
	for _, child := range list.Children {
		pairs = append(pairs, [2]string{"Child", child.InstanceID + " " + child.Name + " " + child.RuntimeStatus})
	}
	if more := list.Total - len(list.Children); more > 0 {
		pairs = append(pairs, [2]string{"Child", fmt.Sprintf("and %d more", more)})
	}
	return pairs, nil
}

// withPayloads puts the payloads themselves into the details of an instance.
func (c *caller) withPayloads(ctx context.Context, id string, body []byte) (json.RawMessage, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	for _, name := range []string{"input", "output", "customStatus"} {
		if members[name] == nil {
			continue
		}
		var p payload
		if err := json.Unmarshal(members[name], &p); err != nil {
			return nil, fmt.Errorf("reading the %s: %w", name, err)
		}
		var text []byte
		if p.Text != nil {
			text = []byte(*p.Text)
		} else {
			var err error
			if text, err = c.send(ctx, request{method: http.MethodGet, path: instancePath(id) + "/payload", query: url.Values{"of": {name}}}); err != nil {
				return nil, fmt.Errorf("the %s: %w", name, err)
			}
		}
		if !json.Valid(text) {
			text, _ = json.Marshal(string(text)) // a string can be encoded
		}
		members[name] = text
	}
	return json.Marshal(members)
}
