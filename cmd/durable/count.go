package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// countOptions are the arguments of count.
type countOptions struct {
	reach
	filter
	form
	by string
}

func newCountCommand() *cobra.Command {
	o := countOptions{form: asTable}
	cmd := &cobra.Command{
		Use: "count [FILTERS]", Short: "counts instances, by status or by name",
		Long: "count counts the instances that match the flags. Without --by it prints the number alone.",
		Example: "  durable count --status Failed --since 1d\n" +
			"  durable count --by status",
		Args: want(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.by != "" && o.by != "status" && o.by != "name" {
				return usageError{fmt.Errorf("--by %s: want status or name", o.by)}
			}
			c, err := o.connect(cmd.Context())
			if err != nil {
				return err
			}
			return o.count(cmd.Context(), c, cmd)
		},
	}
	o.reach.register(cmd.Flags())
	o.filter.register(cmd.Flags())
	o.form.register(cmd)
	cmd.Flags().StringVar(&o.by, "by", "", "one number each: status or name")
	complete(cmd, "by", func(*cobra.Command) []string { return []string{"status", "name"} })
	completeFilter(cmd, &o.reach)
	return cmd
}

// counts are numbers of instances.
type counts struct {
	Total            int
	ByStatus, ByName map[string]int
}

func (o *countOptions) count(ctx context.Context, c *caller, cmd *cobra.Command) error {
	query, err := o.query()
	if err != nil {
		return err
	}
	p := newProgress(cmd)
	defer p.end()
	all, err := c.counts(ctx, query, p)
	if err != nil {
		return err
	}
	p.end()
	if o.by == "" {
		if o.form == asJSON || o.form == asLines {
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "{\"count\":%d}\n", all.Total)
			return err
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), all.Total)
		return err
	}
	of := all.ByStatus
	if o.by == "name" {
		of = all.ByName
	}
	type row struct {
		Value string `json:"value"`
		Count int    `json:"count"`
	}
	var objects []json.RawMessage
	for _, value := range inOrder(of) {
		raw, err := json.Marshal(row{value, of[value]})
		if err != nil {
			return err
		}
		objects = append(objects, raw)
	}
	return rows(cmd.OutOrStdout(), o.form, []column[row]{
		{strings.ToUpper(o.by), false, func(r *row) string { return r.Value }},
		{"COUNT", false, func(r *row) string { return strconv.Itoa(r.Count) }},
	}, objects)
}

// counts adds up the parts that the API counts.
func (c *caller) counts(ctx context.Context, query url.Values, p *progress) (*counts, error) {
	all := &counts{ByStatus: map[string]int{}, ByName: map[string]int{}}
	for {
		body, err := c.send(ctx, request{method: http.MethodGet, path: "count", query: query})
		if err != nil {
			return nil, err
		}
		var part struct {
			counts
			More  bool
			Token string
		}
		if err := json.Unmarshal(body, &part); err != nil {
			return nil, fmt.Errorf("reading the answer: %w", err)
		}
		all.Total += part.Total
		for value, n := range part.ByStatus {
			all.ByStatus[value] += n
		}
		for value, n := range part.ByName {
			all.ByName[value] += n
		}
		if !part.More {
			return all, nil
		}
		if part.Token == "" {
			return nil, errors.New("the app counts, and does not say where to go on")
		}
		p.say("%d instances so far", all.Total)
		query.Set("token", part.Token)
	}
}

// inOrder are the values, that of the largest number first.
func inOrder(numbers map[string]int) []string {
	return slices.SortedFunc(maps.Keys(numbers), func(a, b string) int {
		return cmp.Or(numbers[b]-numbers[a], strings.Compare(a, b))
	})
}
