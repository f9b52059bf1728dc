package main

import (
	"bytes"
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
	"strconv"
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
			c, err := o.connect(cmd.Context())
			if err != nil {
				return err
			}
			p := newProgress(cmd)
			defer p.end()
			return o.save(cmd.Context(), c, cmd.OutOrStdout(), p)
		},
	}
	o.reach.register(cmd.Flags())
	o.filter.register(cmd.Flags())
	cmd.Flags().StringVar(&o.out, "out", "histories", "`folder` to write to")
	cmd.Flags().IntVar(&o.max, "max", 1000, "how many histories at most")
	return cmd
}

// save writes the files.
func (o *exportOptions) save(ctx context.Context, c *caller, out io.Writer, p *progress) error {
	ids, more, err := o.instances(ctx, c)
	if err != nil {
		return err
	}
	if err := emptyExport(o.out); err != nil {
		return err
	}
	saved := 0
	for i, id := range ids {
		p.say("history %d of %d", i+1, len(ids))
		err := o.saveOne(ctx, c, id)
		if noHistory(err) {
			continue
		}
		if err != nil {
			return err
		}
		saved++
	}
	p.end()
	fmt.Fprintf(out, "%d histories in %s\n", saved, o.out)
	if more {
		fmt.Fprintf(out, "there are more instances: --max %d ended the export\n", o.max)
	}
	return nil
}

// errNotBegun means that an instance has no history yet.
var errNotBegun = errors.New("the instance has not begun: it has no history")

// noHistory reports whether an error is about an instance that has not begun, or is gone
// since it was listed.
func noHistory(err error) bool { return errors.Is(err, errNotBegun) || errors.Is(err, errNoInstance) }

// saveOne writes the file of an instance.
func (o *exportOptions) saveOne(ctx context.Context, c *caller, id string) error {
	history, err := c.history(ctx, id)
	if err == nil && history == nil {
		err = errNotBegun
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(o.out, exportName(id)), history, 0o600)
	}
	if err != nil {
		return fmt.Errorf("the history of %s: %w", id, err)
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

// history returns the rows of an instance's history, one a line; nil where it has none.
func (c *caller) history(ctx context.Context, id string) ([]byte, error) {
	var all []json.RawMessage
	var read tail
	for {
		r := request{method: http.MethodGet, path: instancePath(id) + "/rows"}
		if read.next > 0 {
			r.query = url.Values{"from": {strconv.FormatUint(read.next, 10)}, "execution": {read.execution}}
		}
		body, err := c.send(ctx, r)
		if err != nil {
			return nil, err
		}
		var page struct {
			Execution    string
			Rows         []json.RawMessage
			Next, Stored uint64
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return nil, fmt.Errorf("reading the answer: %w", err)
		}
		if page.Execution != read.execution {
			all = nil
		}
		all = append(all, page.Rows...)
		read = tail{page.Execution, page.Next}
		if page.Next >= page.Stored || len(page.Rows) == 0 {
			break
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	var out bytes.Buffer
	for i, row := range all {
		out.WriteString(map[bool]string{true: "[\n", false: ",\n"}[i == 0])
		out.Write(row)
	}
	out.WriteString("\n]\n")
	return out.Bytes(), nil
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
