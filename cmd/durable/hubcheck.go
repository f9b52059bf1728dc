package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/durable-go/functions/internal/hubcheck"
)

// findingsCode is the exit code of a check that has found what is not mended.
const findingsCode = 3

// hubOptions are the arguments of hub check.
type hubOptions struct {
	dir, hub, output string
	repair           bool
	older            time.Duration
}

func parseHub(args []string, out io.Writer) (o hubOptions, err error) {
	flags := flag.NewFlagSet("hub", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.BoolVar(&o.repair, "repair", false, "mend what can be mended")
	flags.StringVar(&o.output, "o", "text", "`form` of the report: text or json")
	flags.DurationVar(&o.older, "older", 2*time.Minute, "how old something must be that may only be on its way")
	flags.StringVar(&o.hub, "hub", "", "`name` of the task hub (default: hubName in host.json)")
	flags.Usage = func() {
		fmt.Fprintln(out, "usage: durable hub check [flags] [folder of the app]")
		fmt.Fprintln(out, "\nreads a task hub, whether an app works on it or not, and reports what is inconsistent.")
		fmt.Fprintln(out, "The storage account is that of AzureWebJobsStorage, in the environment or in")
		fmt.Fprintln(out, "local.settings.json. Exit codes: 0 nothing is wrong, or all of it was mended; 3 something")
		fmt.Fprintln(out, "is; 1 the hub could not be read; 2 wrong arguments.")
		flags.PrintDefaults()
	}
	if err := parseVerb(flags, "check", args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 1:
		return o, usageError{fmt.Errorf("one folder at most, got %q", flags.Args())}
	case o.output != "text" && o.output != "json":
		return o, usageError{fmt.Errorf("-o %s: want text or json", o.output)}
	case o.older <= 0:
		return o, usageError{fmt.Errorf("--older %v: must be above 0", o.older)}
	}
	o.dir, err = filepath.Abs(flags.Arg(0))
	return o, err
}

// checkHub reports what is inconsistent in the app's task hub.
func checkHub(ctx context.Context, args []string, out io.Writer) error {
	o, err := parseHub(args, out)
	if err != nil {
		return err
	}
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
