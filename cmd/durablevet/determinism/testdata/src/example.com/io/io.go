// Package io reads, writes and asks.
package io

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"

	"example.com/helpers"
	"github.com/durable-go/functions/durable"
)

var other = durable.DeclareOrchestrator[int, int]("Other")

func Bad(ctx *durable.Context, db *sql.DB, client *durable.Client) error {
	_, _ = os.ReadFile("x")                                // want `DUR005 io: os.ReadFile in an orchestrator: use an activity or a durable.Step`
	_, _ = http.Get("http://x")                            // want `http.Get in an orchestrator`
	_, _ = http.DefaultClient.Do(nil)                      // want `http.Client.Do in an orchestrator`
	_, _ = net.Dial("tcp", "x")                            // want `net.Dial in an orchestrator`
	_, _ = db.Query("select 1")                            // want `sql.DB.Query in an orchestrator`
	_ = exec.Command("ls").Run()                           // want `exec.C.* in an orchestrator`
	_, _ = filepath.Glob("*")                              // want `filepath.Glob in an orchestrator`
	_, _ = fmt.Scanln()                                    // want `fmt.Scanln in an orchestrator`
	_, _ = helpers.Load("x")                               // want `Load calls os.ReadFile`
	_, _ = client.Status(context.Background(), "x")        // want `durable.Client.Status in an orchestrator`
	_, err := other.Start(context.Background(), client, 5) // want `durable.Orchestrator.Start in an orchestrator`
	return err
}

func Good(ctx *durable.Context) (string, error) {
	if _, err := durable.Step(ctx, "read", func(context.Context) ([]byte, error) { return os.ReadFile("x") }).Await(); os.IsNotExist(err) {
		return filepath.Join("a", "b"), os.ErrNotExist
	}
	header := http.Header{}
	header.Set("a", http.StatusText(200))
	return net.JoinHostPort("a", "b"), nil
}

var Fetch = durable.NewActivity("Fetch", func(ctx context.Context, url string) (string, error) {
	_, err := http.Get(url)
	return "", err
})
