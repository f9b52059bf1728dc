package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"
)

// form is how a command prints what it has read.
type form string

// The forms: for people, with more columns, as one JSON value, and as one JSON value
// a line.
const (
	asTable form = "table"
	asWide  form = "wide"
	asJSON  form = "json"
	asLines form = "jsonl"
)

var forms = []string{string(asTable), string(asWide), string(asJSON), string(asLines)}

// Set takes the value of the flag.
func (f *form) Set(text string) error {
	if !slices.Contains(forms, text) {
		return fmt.Errorf("want one of %s", strings.Join(forms, ", "))
	}
	*f = form(text)
	return nil
}

func (f *form) String() string { return string(*f) }

// Type is what the help calls the value.
func (f *form) Type() string { return "form" }

// register adds the flag; f has its default.
func (f *form) register(cmd *cobra.Command) {
	cmd.Flags().VarP(f, "output", "o", "`form` of the output: "+strings.Join(forms, ", "))
	complete(cmd, "output", func(*cobra.Command) []string { return forms })
}

// column is a column of a table.
type column[T any] struct {
	head string
	// wide columns are in the form wide alone.
	wide bool
	cell func(*T) string
}

// rows prints JSON objects as they are, or as a table whose columns read them.
func rows[T any](out io.Writer, f form, columns []column[T], objects []json.RawMessage) error {
	switch f {
	case asJSON:
		return indented(out, objects)
	case asLines:
		return lines(out, objects)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	columns = slices.DeleteFunc(slices.Clone(columns), func(c column[T]) bool { return c.wide && f != asWide })
	for i, c := range columns {
		fmt.Fprint(table, tab(i), c.head)
	}
	fmt.Fprintln(table)
	for _, raw := range objects {
		var row T
		if err := json.Unmarshal(raw, &row); err != nil {
			return fmt.Errorf("reading the answer: %w", err)
		}
		for i, c := range columns {
			fmt.Fprint(table, tab(i), plain(c.cell(&row)))
		}
		fmt.Fprintln(table)
	}
	return table.Flush()
}

func tab(column int) string {
	if column == 0 {
		return ""
	}
	return "\t"
}

// facts prints names and values in two columns, without those that have no value.
func facts(out io.Writer, pairs [][2]string) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, pair := range pairs {
		if pair[1] != "" {
			fmt.Fprintf(table, "%s:\t%s\n", pair[0], plain(pair[1]))
		}
	}
	return table.Flush()
}

// indented prints a value as JSON with one member a line.
func indented(out io.Writer, value any) error {
	if objects, ok := value.([]json.RawMessage); ok && objects == nil {
		value = []json.RawMessage{}
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// lines prints each value as JSON in a line.
func lines(out io.Writer, objects []json.RawMessage) error {
	for _, raw := range objects {
		var line bytes.Buffer
		if err := json.Compact(&line, raw); err != nil {
			return fmt.Errorf("reading the answer: %w", err)
		}
		line.WriteByte('\n')
		if _, err := line.WriteTo(out); err != nil {
			return err
		}
	}
	return nil
}

// plain is a text as a terminal may show it, in one line: the name of an
// instance must not move the cursor of the terminal that lists it.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// joined are the pairs of a map as name=value, in order.
func joined(pairs map[string]string) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(pairs)) {
		out = append(out, name+"="+pairs[name])
	}
	return strings.Join(out, ",")
}
