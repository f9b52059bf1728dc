//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

// results are those of all rounds.
type results struct {
	Environment environment `json:"environment"`
	App         []figures   `json:"app"`
	Floor       []figures   `json:"floor,omitempty"`
	Telemetry   []figures   `json:"telemetry,omitempty"`
}

// print writes a table of medians, and everything as one line of JSON.
func (r *results) print(w io.Writer) error {
	e := r.Environment
	_, _ = fmt.Fprintf(w, "machine  %s; load before: %s\nversions %s, node %s, azurite %s, func %s, commit %s\n\n",
		e.Machine, e.Load, e.Go, e.Node, e.Azurite, e.Func, e.Commit)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(table, "median of %d rounds\tapp\tfloor\tapp/floor\ttelemetry\ttelemetry/app\t\n", len(r.App))
	for _, metric := range metrics {
		_, _ = fmt.Fprintf(table, "%s\t%.1f\t%s\t%s\t%s\t%s\t\n", metric, median(r.App, metric),
			optional(median(r.Floor, metric)), optional(ratio(r.App, r.Floor, metric)),
			optional(median(r.Telemetry, metric)), optional(ratio(r.Telemetry, r.App, metric)))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(w)
	return json.NewEncoder(w).Encode(r)
}

func optional(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", v)
}
