package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

const exportHelp = `
saves the history of each instance that matches as a file of its own, which durabletest.Replay
reads: a test of the app then finds code that does not fit what is in flight, before it is
deployed. The files have the inputs and results of the instances: treat them as you treat the
data of the hub. They replace those that an earlier export left in the folder.`

// inFlight are the statuses of instances whose code is still needed.
const inFlight = "Pending,Running,Suspended"

// exportOptions are the arguments of export.
type exportOptions struct {
	reach
	filter
	out string
	max int
}

func newExportCommand() *cobra.Command {
	o := exportOptions{filter: filter{status: inFlight}}
	cmd := &cobra.Command{
		Use: "export", Short: "saves histories, which tests replay before a deployment",
		Long: "export" + exportHelp,
		Example: "  durable export --url https://myapp.azurewebsites.net\n" +
			"  durable export --name Order --status Failed --since 7d --out failed",
		Args: want(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.max < 1 {
				return usageError{fmt.Errorf("--max %d: want 1 or more", o.max)}
			}
			if err := o.check(); err != nil {
				return err
			}
			c, err := o.caller(cmd.Context())
			if err != nil {
				return err
			}
			return o.save(cmd.Context(), c, cmd.OutOrStdout())
		},
	}
	o.reach.register(cmd.Flags())
	o.filter.register(cmd.Flags())
	cmd.Flags().StringVar(&o.out, "out", "histories", "`folder` to write to")
	cmd.Flags().IntVar(&o.max, "max", 1000, "how many histories at most")
	return cmd
}

// save writes the files.
func (o *exportOptions) save(ctx context.Context, c *caller, out io.Writer) error {
	ids, more, err := o.instances(ctx, c)
	if err != nil {
		return err
	}
	if err := emptyExport(o.out); err != nil {
		return err
	}
	saved := 0
	for _, id := range ids {
		history, err := c.history(ctx, id)
		if err != nil {
			return fmt.Errorf("the history of %s: %w", id, err)
		}
		if history == nil {
			continue // it has not begun
		}
		if err := os.WriteFile(filepath.Join(o.out, exportName(id)), history, 0o600); err != nil {
			return fmt.Errorf("the history of %s: %w", id, err)
		}
		saved++
	}
	fmt.Fprintf(out, "%d histories in %s\n", saved, o.out)
	if more {
		fmt.Fprintf(out, "there are more instances: --max %d ended the export\n", o.max)
	}
	return nil
}

// instances returns the ids of the orchestrations that match, and whether there are
// more than are asked for.
func (o *exportOptions) instances(ctx context.Context, c *caller) (ids []string, more bool, err error) {
	query, err := o.query()
	if err != nil {
		return nil, false, err
	}
	query.Del("name") // the list does not filter by it
	query.Set("showInput", "false")
	r := request{method: http.MethodGet, path: "instances", query: query}
	for {
		got, err := c.do(ctx, r)
		if err != nil {
			return nil, false, err
		}
		var rows []struct{ InstanceID, Name string }
		if err := json.Unmarshal(got.body, &rows); err != nil {
			return nil, false, fmt.Errorf("reading the list of instances: %w", err)
		}
		for _, row := range rows {
			entity := strings.HasPrefix(row.InstanceID, "@")
			if entity || o.name != "" && !strings.EqualFold(o.name, row.Name) {
				continue
			}
			if len(ids) == o.max {
				return ids, true, nil
			}
			ids = append(ids, row.InstanceID)
		}
		if got.next == "" {
			return ids, false, nil
		}
		r.token = got.next
	}
}

// history returns the status of an instance with the events of all pages; nil for one
// that is gone, or has none.
func (c *caller) history(ctx context.Context, id string) ([]byte, error) {
	r := request{method: http.MethodGet, path: "instances/" + url.PathEscape(id), query: url.Values{
		"showHistory": {"true"}, "showHistoryOutput": {"true"}, "showInput": {"true"},
	}}
	var status map[string]json.RawMessage
	var events []json.RawMessage
	for {
		got, err := c.do(ctx, r)
		if errors.Is(err, errNoInstance) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		var part []json.RawMessage
		if err := json.Unmarshal(got.body, &status); err != nil {
			return nil, fmt.Errorf("reading the answer: %w", err)
		}
		if err := json.Unmarshal(status["historyEvents"], &part); err != nil {
			return nil, fmt.Errorf("reading the events: %w", err)
		}
		events = append(events, part...)
		if got.next == "" {
			break
		}
		r.token = got.next
	}
	if len(events) == 0 {
		return nil, nil
	}
	all, err := json.Marshal(events)
	if err != nil {
		return nil, err
	}
	status["historyEvents"] = all
	delete(status, "isHistoryComplete")
	return json.MarshalIndent(status, "", "  ")
}

// exportEnd is how the names of exported files end, by which a later export knows
// them.
const exportEnd = ".history.json"

// exportName is the name of an instance's file. An id may have any characters: what
// is odd is replaced, and a hash keeps names apart.
func exportName(id string) string {
	plain := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '_'
	}, id)
	sum := sha256.Sum256([]byte(id))
	return plain[:min(len(plain), 80)] + "-" + hex.EncodeToString(sum[:4]) + exportEnd
}

// emptyExport makes the folder, and removes what an earlier export left in it.
func emptyExport(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("the folder to export to: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("the folder to export to: %w", err)
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), exportEnd) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, entry.Name())); err != nil {
			return fmt.Errorf("removing an earlier export: %w", err)
		}
	}
	return nil
}
