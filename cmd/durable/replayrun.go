package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/durable-go/functions/internal/opening"
)

// replayFile is added to the app's own package main for the time of a build: it links
// the package that replays histories, which an app has in its tests alone.
const (
	replayFile    = "durable_replay_overlay.go"
	replayPackage = "package main\n\nimport _ \"" + module + "/durabletest\"\n"
)

// runReplay builds the app and runs it over the histories in a folder. main does what
// it always does, until it calls Run.
func runReplay(ctx context.Context, app, dir string, env environment) (*opening.ReplayReport, error) {
	program, err := buildReplay(ctx, app, dir)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program)
	cmd.Dir = app
	cmd.Env = append(env.list(), opening.ReplayFolder+"="+dir, "FUNCTIONS_APP_ROOT_PATH="+app,
		"FUNCTIONS_CUSTOMHANDLER_PORT=", "AZURE_FUNCTIONS_ENVIRONMENT=Development")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	failed := cmd.Run() // it always fails: Run of an app never returns nil
	raw, err := os.ReadFile(filepath.Join(dir, opening.ReplayResult))
	if err != nil {
		return nil, fmt.Errorf("the app ended without replaying the histories (%w): its main must come to app.Run, with durable %s or newer\n%s", failed, versionText(), said.Bytes())
	}
	var report opening.ReplayReport
	if err := json.Unmarshal(raw, &report); err != nil {
		return nil, fmt.Errorf("reading the app's report: %w", err)
	}
	return &report, nil
}

func buildReplay(ctx context.Context, app, dir string) (program string, err error) {
	source, overlay := filepath.Join(dir, "replay.go"), filepath.Join(dir, "overlay.json")
	raw, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(app, replayFile): source}})
	if err != nil {
		return "", err
	}
	for file, content := range map[string][]byte{source: []byte(replayPackage), overlay: raw} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			return "", err
		}
	}
	program = filepath.Join(dir, "app")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-overlay", overlay, "-o", program, ".")
	cmd.Dir = app
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the app in %s: %w\n%s", app, err, bytes.TrimSpace(text))
	}
	return program, nil
}
