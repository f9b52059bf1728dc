package simulation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/entity"
	"github.com/durable-go/functions/internal/worker"
)

// deployed is when the last process of an old build is replaced. No message is as old
// then as one must be before a name that a process does not know fails for good.
const deployed = 45 * time.Second

// build is what the program of a process has: all functions but those named here, in
// lower case, which came with a later one.
type build struct{ lacks []string }

// oldBuilds lack the orchestrator, and what it calls or not. No build has an orchestrator
// that calls what the build lacks, or starts one that it lacks: that would be a mistake of
// the build, and fails at once.
var oldBuilds = []build{
	{[]string{"program"}},
	{[]string{"program", "give", "hello", "fail", "failtimes", "slow"}},
	{[]string{"program", "cell"}},
	{[]string{"program", "give", "hello", "fail", "failtimes", "slow", "cell"}},
}

// build decides of which build a process is: while a new one is deployed some are of an
// old one.
func (w *world) build(p *process) (b build, old bool) {
	dice := w.dice(p.name() + " build")
	if w.run.Calm&Deployments != 0 || w.run.Calm&Inside == 0 || time.Since(w.began) > deployed-2*time.Second || dice.IntN(2) == 0 {
		return b, false
	}
	b = oldBuilds[dice.IntN(len(oldBuilds))]
	w.trace.add("%s is of an old build without %s", p.name(), strings.Join(b.lacks, ", "))
	return b, true
}

// apply makes the worker's options those of the build.
func (b build) apply(o worker.Options) worker.Options {
	all := o
	o.Programs = func(name, version string) (engine.Program, error) {
		if err := b.check(name); err != nil {
			return nil, err
		}
		return all.Programs(name, version)
	}
	o.Activities = func(name string) (activity.Func, error) {
		if err := b.check(name); err != nil {
			return nil, err
		}
		return all.Activities(name)
	}
	o.Entities = func(name string) (*entity.Code, error) {
		if err := b.check(name); err != nil {
			return nil, err
		}
		return all.Entities(name)
	}
	return o
}

func (b build) check(name string) error {
	if slices.Contains(b.lacks, strings.ToLower(name)) {
		return fmt.Errorf("there is no %q in this build", name)
	}
	return nil
}
