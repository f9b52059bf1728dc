package durable

import (
	"context"
	"log/slog"
)

// officialWorkers tells of workers of the official engine.
type officialWorkers interface {
	// OfficialWorker names one that is alive on the hub; empty: none is.
	OfficialWorker(ctx context.Context) (string, error)
}

// officialApp reports an app of the official engine that has taken the hub for its own:
// it does not ask whose the hub is, and cannot be kept out.
type officialApp struct {
	hub  officialWorkers
	name string
	log  *slog.Logger
	// worker is the one that was reported last; empty: it has gone.
	worker string
}

// look asks once, and reports a worker that was not there before.
func (o *officialApp) look(ctx context.Context) error {
	worker, err := o.hub.OfficialWorker(ctx)
	if err != nil {
		return err
	}
	if worker != "" && worker != o.worker {
		o.log.Error("an app of the official Durable Functions extension runs on this task hub: it takes messages of this app, and fails orchestrations "+
			"that it does not know; give it a hub of its own (host.json of that app: extensions.durableTask.hubName)", "hub", o.name, "worker", worker)
	}
	o.worker = worker
	return nil
}
