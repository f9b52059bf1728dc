package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"slices"

	"github.com/spf13/cobra"
)

const importHelp = `
writes finished instances, with their histories, into a hub: what "durable export" has saved of
another one with --status Completed,Failed,Terminated. An instance whose id is there is refused, but for the
same execution, which is left as it is; --replace takes the place of one that has finished.
Instances that have not finished are refused, before anything is written: what they wait for
(activities, timers, events) are messages of the hub in which they run.`

// importOptions are the arguments of import.
type importOptions struct {
	reach
	replace bool
}

func newImportCommand() *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use: "import FILE...", Short: "writes exported, finished instances into a hub",
		Long: "import" + importHelp,
		Example: "  durable import archive --hub Archive\n" +
			"  durable import archive/order-7-1b2c3d4e.history.json --replace",
		Args: want(1, math.MaxInt),
		RunE: func(cmd *cobra.Command, args []string) error {
			saved, err := readExports(args)
			if err != nil {
				return err
			}
			c, err := o.connect(cmd.Context())
			if err != nil {
				return err
			}
			p := newProgress(cmd)
			defer p.end()
			return o.write(cmd.Context(), c, saved, cmd.OutOrStdout(), p)
		},
	}
	o.register(cmd.Flags())
	cmd.Flags().BoolVar(&o.replace, "replace", false, "take the place of finished instances with these ids")
	return cmd
}

// exported is a file of an export, and the instance whose history it is.
type exported struct {
	file, id string
	rows     []byte
}

// readExports reads files, and those of folders that an export has written. It fails
// where one of them has no history that has ended: nothing is written then.
func readExports(names []string) (all []exported, err error) {
	var problems []error
	for _, name := range names {
		files := []string{name}
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			if files, err = exportsIn(name); err != nil {
				return nil, err
			}
		}
		for _, file := range files {
			e, err := readExport(file)
			if err != nil {
				problems = append(problems, err)
			}
			all = append(all, e)
		}
	}
	return all, errors.Join(problems...)
}

func readExport(file string) (exported, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return exported{}, err
	}
	var rows []struct{ PartitionKey, EventType string }
	if err := json.Unmarshal(raw, &rows); err != nil || len(rows) == 0 || rows[0].PartitionKey == "" {
		return exported{}, errors.Join(fmt.Errorf("%s is not what durable export saves", file), err)
	}
	e := exported{file, rows[0].PartitionKey, raw}
	if !slices.ContainsFunc(rows, func(r struct{ PartitionKey, EventType string }) bool { return r.EventType == "ExecutionCompleted" }) {
		return e, fmt.Errorf("%s: instance %s had not finished: what it waits for is in its own hub (export with --status Completed,Failed,Terminated)", file, e.id)
	}
	return e, nil
}

// write imports the instances, one after the other. One that is refused does not keep
// the others from it.
func (o *importOptions) write(ctx context.Context, c *caller, all []exported, out io.Writer, p *progress) error {
	imported, there := 0, 0
	var problems []error
	for n, e := range all {
		p.say("instance %d of %d", n+1, len(all))
		r := request{method: http.MethodPost, path: instancePath(e.id) + "/import", body: string(e.rows)}
		if o.replace {
			r.query = url.Values{"replace": {"true"}}
		}
		got, err := c.do(ctx, r)
		switch {
		case errors.Is(err, errNoInstance):
			return errors.New("the app does not know import: it was built with an older version")
		case err != nil && ctx.Err() != nil:
			return err
		case err != nil:
			problems = append(problems, fmt.Errorf("%s: %w", e.file, err))
		case got.code == http.StatusCreated:
			imported++
		default:
			there++
		}
	}
	p.end()
	fmt.Fprintf(out, "%d instances imported", imported)
	if there > 0 {
		fmt.Fprintf(out, ", %d were there", there)
	}
	fmt.Fprintln(out)
	return errors.Join(problems...)
}
