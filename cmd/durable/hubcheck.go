package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/durable-go/functions/internal/hubcheck"
	"github.com/spf13/cobra"
)

// findingsCode is the exit code of a check that has found what is not mended.
const findingsCode = 3

const hubCheckHelp = `check reads a task hub, whether an app works on it or not, and reports what is inconsistent.
The storage account is that of AzureWebJobsStorage, in the environment or in
local.settings.json. Exit codes: 0 nothing is wrong, or all of it was mended; 3 something
is; 1 the hub could not be read; 2 wrong arguments.`

// hubOptions are the arguments of hub check.
type hubOptions struct {
	dir, hub, output string
	repair           bool
	older            time.Duration
}

func newHubCheckCommand() *cobra.Command {
	var o hubOptions
	cmd := &cobra.Command{
		Use: "check [DIR]", Short: "reports what is inconsistent in a task hub, and mends it",
		Long: hubCheckHelp,
		Example: "  durable hub check\n" +
			"  durable hub check --repair --hub Orders -o json",
		Args: oneFolder,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(args); err != nil {
				return err
			}
			return checkHub(cmd.Context(), o, cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&o.repair, "repair", false, "mend what can be mended")
	cmd.Flags().StringVarP(&o.output, "output", "o", "text", "`form` of the report: text or json")
	cmd.Flags().DurationVar(&o.older, "older", 2*time.Minute, "how old something must be that may only be on its way")
	registerHub(cmd.Flags(), &o.hub)
	return cmd
}

func (o *hubOptions) check(args []string) (err error) {
	switch {
	case o.output != "text" && o.output != "json":
		return usageError{fmt.Errorf("-o %s: want text or json", o.output)}
	case o.older <= 0:
		return usageError{fmt.Errorf("--older %v: must be above 0", o.older)}
	}
	o.dir, err = filepath.Abs(folder(args))
	return err
}

// checkHub reports what is inconsistent in the app's task hub.
func checkHub(ctx context.Context, o hubOptions, out io.Writer) error {
	hub, err := appHub(o.dir, &o.hub, "that hub lives in the app's process and ends with it")
	if err != nil {
		return err
	}
	report, err := hubcheck.Run(ctx, o.hub, hub, hubcheck.Options{Repair: o.repair, Age: o.older})
	if err != nil {
		return err
	}
	if o.output == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(report)
	} else {
		printReport(out, report)
	}
	if n := report.Unrepaired(); err == nil && n > 0 {
		return &codeError{findingsCode, fmt.Errorf("%d findings", n)}
	}
	return err
}

func printReport(out io.Writer, r *hubcheck.Report) {
	for _, f := range r.Findings {
		fmt.Fprintf(out, "%-8s %s", f.Severity, f.Kind)
		if f.Instance != "" {
			fmt.Fprintf(out, "  instance %s", f.Instance)
		}
		fmt.Fprintf(out, "  (%s)\n         %s\n", f.Place, f.What)
		switch {
		case f.Repaired:
			fmt.Fprintf(out, "         mended: %s\n", f.Repair)
		case f.Failed != "":
			fmt.Fprintf(out, "         not mended: %s\n", f.Failed)
		case f.Repair != "":
			fmt.Fprintf(out, "         --repair would: %s\n", f.Repair)
		}
	}
	fmt.Fprintf(out, "Task hub %s: %d instances, %d findings, %d of them not mended.\n", r.Hub, r.Instances, len(r.Findings), r.Unrepaired())
}
