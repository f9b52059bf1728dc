package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/durable-go/functions/handler"
	"github.com/durable-go/functions/internal/opening"
	"github.com/spf13/cobra"
)

const replayHelp = `replay builds the app in the folder and lets today's code replay histories: of instances of a task
hub, by their ids; with --all, of all that match the flags (by default those in flight); or of
files and folders that durable export has written. No activity runs, and nothing is changed.
Each history that the code does not fit is reported with the event at which they part and the
line of the code. It is the check before a deployment.

An app with a payload codec reads its payloads itself: ask it with --url, not its storage.

Exit codes: 0 the code fits all of them; 1 it does not, or something else went wrong; 2 wrong
arguments; 3 there is no such instance.`

// replayOptions are the arguments of replay.
type replayOptions struct {
	reach
	filter
	form
	all bool
	max int
}

func newReplayCommand() *cobra.Command {
	o := replayOptions{filter: filter{status: inFlight}, form: asTable}
	cmd := &cobra.Command{
		Use: "replay ID | FILE | --all", Short: "lets today's code replay histories, before it is deployed",
		Long: replayHelp,
		Example: "  durable replay --all --url https://myapp.azurewebsites.net\n" +
			"  durable replay order-7\n" +
			"  durable replay histories",
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case o.all == (len(args) > 0):
				return usageError{errors.New("want ids and files, or --all")}
			case o.max < 1:
				return usageError{fmt.Errorf("--max %d: want 1 or more", o.max)}
			}
			if err := o.check(); err != nil {
				return err
			}
			p := newProgress(cmd)
			defer p.end()
			return stopped(cmd.Context(), o.replay(cmd.Context(), args, cmd.OutOrStdout(), p))
		},
	}
	o.reach.register(cmd.Flags())
	o.filter.register(cmd.Flags())
	o.form.register(cmd)
	cmd.Flags().BoolVar(&o.all, "all", false, "all instances that match the flags")
	cmd.Flags().IntVar(&o.max, "max", 1000, "how many histories at most")
	completeFilter(cmd, &o.reach)
	completeID(cmd, &o.reach)
	return cmd
}

func (o *replayOptions) replay(ctx context.Context, args []string, out io.Writer, p *progress) error {
	env, err := appEnvironment(options{dir: o.dir})
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "durable-replay-")
	if err != nil {
		return fmt.Errorf("a folder for the histories: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	more, err := o.collect(ctx, args, dir, p)
	if err != nil {
		return err
	}
	if err := replaySettings(o.dir, env, dir); err != nil {
		return err
	}
	p.say("building the app")
	report, err := runReplay(ctx, o.dir, dir, env)
	if err != nil {
		return err
	}
	p.end()
	if err := o.print(out, report); err != nil {
		return err
	}
	if n := len(report.Differences); n > 0 {
		return fmt.Errorf("the code does not fit %d of %d histories", n, report.Replayed)
	}
	if more {
		return fmt.Errorf("there are more instances: --max %d ended the replay", o.max)
	}
	return nil
}

// collect puts the histories into a folder. more means that there are others.
func (o *replayOptions) collect(ctx context.Context, args []string, dir string, p *progress) (more bool, err error) {
	ids, err := copyGiven(args, dir)
	if err != nil {
		return false, err
	}
	if !o.all && len(ids) == 0 {
		return false, nil
	}
	c, err := o.caller(ctx)
	if err != nil {
		return false, err
	}
	e := exportOptions{filter: o.filter, max: o.max, out: dir}
	if o.all {
		if ids, more, err = e.instances(ctx, c); err != nil {
			return false, err
		}
	}
	for i, id := range ids {
		p.say("reading history %d of %d", i+1, len(ids))
		if err := e.saveOne(ctx, c, id); err != nil && (!o.all || !noHistory(err)) {
			return false, err
		}
	}
	return more, nil
}

// copyGiven copies what the arguments name as files and folders. What is neither is the
// id of an instance.
func copyGiven(args []string, dir string) (ids []string, err error) {
	for _, arg := range args {
		info, err := os.Stat(arg)
		switch {
		case err != nil:
			ids = append(ids, arg)
		case info.IsDir():
			if err := copyHistories(arg, dir); err != nil {
				return nil, err
			}
		default:
			if err := copyHistory(arg, dir); err != nil {
				return nil, err
			}
		}
	}
	return ids, nil
}

// exportsIn lists the files that an export has written into a folder.
func exportsIn(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*"+exportEnd))
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s has no files *%s, which durable export writes", dir, exportEnd)
	}
	return files, err
}

// copyHistories copies the histories of a folder.
func copyHistories(from, to string) error {
	files, err := exportsIn(from)
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := copyHistory(file, to); err != nil {
			return err
		}
	}
	return nil
}

// copyHistory copies a history; a file with rows of a table is one, too.
func copyHistory(file, to string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	base := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(file), ".json"), ".history")
	for n := 0; ; n++ {
		name := base
		if n > 0 {
			name = fmt.Sprintf("%s-%d", base, n) // of another folder
		}
		target, err := os.OpenFile(filepath.Join(to, name+opening.ReplayEnd), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			return err
		}
		_, err = target.Write(raw)
		return errors.Join(err, target.Close())
	}
}

// replaySettings writes the settings of host.json on which a replay depends.
func replaySettings(app string, env environment, dir string) error {
	loaded, err := handler.Load(app, env.list())
	if err != nil {
		return err
	}
	section, kept := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	if loaded.DurableTask != nil {
		if err := json.Unmarshal(loaded.DurableTask, &section); err != nil {
			return fmt.Errorf("host.json: extensions.durableTask: %w", err)
		}
	}
	for name, value := range section {
		if strings.EqualFold(name, "strictReplay") || strings.EqualFold(name, "maxOrchestrationActions") {
			kept[name] = value
		}
	}
	raw, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, opening.ReplaySettings), raw, 0o600)
}

func (o *replayOptions) print(out io.Writer, report *opening.ReplayReport) error {
	switch o.form {
	case asJSON:
		return indented(out, report)
	case asLines:
		for _, d := range report.Differences {
			raw, err := json.Marshal(d)
			if err != nil {
				return err
			}
			if err := lines(out, []json.RawMessage{raw}); err != nil {
				return err
			}
		}
		return nil
	}
	for _, d := range report.Differences {
		fmt.Fprintln(out, differenceText(d, o.form))
	}
	_, err := fmt.Fprintf(out, "%d histories replayed, %d differ\n", report.Replayed, len(report.Differences))
	return err
}

// differenceText is a difference in a line; wide it has the events around it.
func differenceText(d opening.Difference, f form) string {
	switch {
	case d.Event == nil:
		return d.File + ": " + d.Text
	case f == asWide:
		return d.Text + "\n"
	}
	text := fmt.Sprintf("instance %s (%s): event %d: the history has %s, the code asks for %s", d.InstanceID, d.Orchestrator, *d.Event, d.Expected, d.Actual)
	if d.Place != "" {
		text += " (" + d.Place + ")"
	}
	return text
}
