package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"

	"github.com/durable-go/functions/internal/azurite"
)

// findAzurite returns the emulator's script, and installs it where there is
// none.
func findAzurite(ctx context.Context, dir string, out io.Writer) (string, error) {
	if _, err := exec.LookPath("node"); err != nil {
		return "", noNode(azurite.ErrNoNode)
	}
	if script, err := azurite.Find(dir); err == nil {
		return script, nil
	}
	fmt.Fprintf(out, "Installing the storage emulator (azurite %s) through npm, once; that takes a minute or so\n", azurite.Version)
	return azurite.Install(ctx)
}
