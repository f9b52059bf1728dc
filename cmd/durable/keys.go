package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/durable-go/functions/internal/management"
	"github.com/spf13/cobra"
)

// defaultGrace is how long links are good that were signed with the old key.
const defaultGrace = 24 * time.Hour

// keysOptions are the arguments of keys rotate.
type keysOptions struct {
	dir, hub string
	grace    time.Duration
}

func newKeysCommand() *cobra.Command {
	return newGroup("keys", "looks after the keys that sign links", newKeysRotateCommand())
}

func newKeysRotateCommand() *cobra.Command {
	var o keysOptions
	cmd := &cobra.Command{
		Use: "rotate [DIR]", Short: "makes a new key for the signed links of a task hub",
		Long: "rotate makes a new key for the signed links of the task hub. The storage account is that of\n" +
			"AzureWebJobsStorage, in the environment or in local.settings.json.",
		Example: "  durable keys rotate\n" +
			"  durable keys rotate --grace 0s",
		Args: oneFolder,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.grace < 0 {
				return usageError{fmt.Errorf("--grace %v: must not be below 0", o.grace)}
			}
			if o.dir, err = filepath.Abs(folder(args)); err != nil {
				return err
			}
			return rotateKeys(cmd.Context(), o, cmd.OutOrStdout())
		},
	}
	cmd.Flags().DurationVar(&o.grace, "grace", defaultGrace, "how long links are good at most that older keys have signed; 0 revokes them")
	registerHub(cmd.Flags(), &o.hub)
	return cmd
}

// rotateKeys makes a new signing key for the app's task hub.
func rotateKeys(ctx context.Context, o keysOptions, out io.Writer) error {
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
