package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/durable-go/functions/internal/management"
)

// defaultGrace is how long links are good that were signed with the old key.
const defaultGrace = 24 * time.Hour

// keysOptions are the arguments of keys rotate.
type keysOptions struct {
	dir, hub string
	grace    time.Duration
}

func parseKeys(args []string, out io.Writer) (o keysOptions, err error) {
	flags := flag.NewFlagSet("keys", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.DurationVar(&o.grace, "grace", defaultGrace, "how long links are good at most that older keys have signed; 0 revokes them")
	flags.StringVar(&o.hub, "hub", "", "`name` of the task hub (default: hubName in host.json)")
	flags.Usage = func() {
		fmt.Fprintln(out, "usage: durable keys rotate [flags] [folder of the app]")
		fmt.Fprintln(out, "\nmakes a new key for the signed links of the task hub. The storage account is that of")
		fmt.Fprintln(out, "AzureWebJobsStorage, in the environment or in local.settings.json.")
		flags.PrintDefaults()
	}
	if err := parseVerb(flags, "rotate", args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 1:
		return o, usageError{fmt.Errorf("one folder at most, got %q", flags.Args())}
	case o.grace < 0:
		return o, usageError{fmt.Errorf("--grace %v: must not be below 0", o.grace)}
	}
	o.dir, err = filepath.Abs(flags.Arg(0))
	return o, err
}

// keys makes a new signing key for the app's task hub.
func keys(ctx context.Context, args []string, out io.Writer) error {
	o, err := parseKeys(args, out)
	if err != nil {
		return err
	}
	hub, err := appHub(o.dir, &o.hub, "that hub, and its keys, live in the app's process and end with it")
	if err != nil {
		return err
	}
	// A hub that is not there must not be made by a wrong name.
	if err := readable(ctx, hub, o.hub); err != nil {
		return err
	}
	done, err := management.NewKeys(hub, o.hub, time.Now).Rotate(ctx, o.grace)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Task hub %s: key %s signs from now on. ", o.hub, done.New)
	if o.grace == 0 {
		fmt.Fprintln(out, "Links that were signed with older keys are void.")
	} else {
		fmt.Fprintf(out, "Links that key %s has signed are good until %s.\n", done.Old, done.Until.Format(time.RFC3339))
	}
	fmt.Fprintln(out, "Apps that run notice within five minutes.")
	return nil
}
