package durabletest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/internal/opening"
)

func init() { opening.Replay = replayFolder }

// errReplayed is why Run ends in an app that was only to replay histories.
var errReplayed = errors.New("the histories were replayed, see durable replay")

// replayFolder serves the command durable replay, which builds an app together with
// this package and runs it: where the variable names a folder with histories, the app
// replays them in place of serving, and reports what does not fit.
func replayFolder(app any) (bool, error) {
	dir := os.Getenv(opening.ReplayFolder)
	if dir == "" {
		return false, nil
	}
	if err := replayAll(app.(*durable.App), dir); err != nil {
		return true, fmt.Errorf("replaying the histories in %s: %w", dir, err)
	}
	return true, errReplayed
}

func replayAll(app *durable.App, dir string) error {
	settings, err := os.ReadFile(filepath.Join(dir, opening.ReplaySettings))
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"+opening.ReplayEnd))
	if err != nil {
		return err
	}
	report := opening.ReplayReport{Differences: []opening.Difference{}}
	for _, file := range files {
		saved, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, err := range parts((Options{App: app, Settings: string(settings)}).Check(saved)) {
			report.Differences = append(report.Differences, difference(filepath.Base(file), err))
		}
		report.Replayed++
	}
	raw, err := json.Marshal(report)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, opening.ReplayResult), raw, 0o600)
}

// parts are the errors of the instances that a history has.
func parts(err error) []error {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

func difference(file string, err error) opening.Difference {
	var m *Mismatch
	if !errors.As(err, &m) {
		return opening.Difference{File: file, Text: err.Error()}
	}
	return opening.Difference{
		File: file, InstanceID: m.InstanceID, Orchestrator: m.Orchestrator, Event: &m.Position,
		Expected: m.Expected, Actual: m.Actual, Place: m.Place, Text: m.Error(),
	}
}
