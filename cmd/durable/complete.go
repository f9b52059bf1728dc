package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// statuses are those that a filter may name.
var statuses = []string{"Pending", "Running", "Suspended", "Completed", "Failed", "Terminated"}

// patience of a shell that waits for the completion of a word.
const completionPatience = 3 * time.Second

// complete gives the shell the values of a flag.
func complete(cmd *cobra.Command, flag string, values func(*cobra.Command) []string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
		return beginning(values(cmd), word), cobra.ShellCompDirectiveNoFileComp
	}) // the only error is a flag that is not there, which the tests of completion find
}

// completeFilter gives the shell the values of the filter's flags.
func completeFilter(cmd *cobra.Command, r *reach) {
	_ = cmd.RegisterFlagCompletionFunc("status", func(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
		before := word[:strings.LastIndex(word, ",")+1]
		var all []string
		for _, status := range statuses {
			all = append(all, before+status)
		}
		return beginning(all, word), cobra.ShellCompDirectiveNoFileComp
	})
	complete(cmd, "name", r.knownNames)
}

// completeID gives the shell the ids of instances for the first argument.
func completeID(cmd *cobra.Command, r *reach) {
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var ids []string
		for _, row := range r.found(cmd, url.Values{"instanceIdPrefix": {word}, "top": {"50"}}).Instances {
			ids = append(ids, row.InstanceID)
		}
		return ids, cobra.ShellCompDirectiveNoFileComp
	}
}

// knownNames are the names of orchestrators that the hub has instances of.
func (r *reach) knownNames(cmd *cobra.Command) (names []string) {
	for _, known := range r.found(cmd, url.Values{"top": {"1"}}).ByName {
		names = append(names, known.Name)
	}
	return names
}

// foundInstances is a part of the answer of a search.
type foundInstances struct {
	Instances []struct{ InstanceID string }
	ByName    []struct{ Name string }
}

// found searches; what goes wrong is no matter for a completion.
func (r *reach) found(cmd *cobra.Command, query url.Values) (out foundInstances) {
	base := cmd.Context()
	if base == nil {
		base = context.Background()
	}
	ctx, cancel := context.WithTimeout(base, completionPatience)
	defer cancel()
	c, err := r.connect(ctx)
	if err != nil {
		return out
	}
	body, err := c.send(ctx, request{method: http.MethodGet, path: "search", query: query})
	if err == nil {
		_ = json.Unmarshal(body, &out)
	}
	return out
}

func beginning(all []string, word string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool {
		return len(s) < len(word) || !strings.EqualFold(s[:len(word)], word)
	})
}
