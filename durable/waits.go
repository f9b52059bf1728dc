package durable

import (
	"context"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/management"
)

// Bounds of a replay for somebody who looks at an instance: how many events it
// may have, and how long it may take.
const (
	waitsEvents = 5000
	waitsWithin = 2 * time.Second
)

// waits runs the code of an instance over its history and says what it waits
// for; nothing where the code does not fit or takes too long. Orchestrators
// have no side effects, so that this changes nothing.
func (r *registry) waits(ctx context.Context, id string, events []*history.Event) []management.Wait {
	if len(events) > waitsEvents {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, waitsWithin)
	defer cancel()
	in := engine.New(engine.Options{InstanceID: id, Program: r.program, Interrupt: ctx.Err})
	defer in.Close()
	watch := time.AfterFunc(waitsWithin, func() { in.GiveUp(&engine.BlockedError{InstanceID: id}, func() {}) })
	defer watch.Stop()
	if err := in.Load(events); err != nil {
		return nil
	}
	found := in.Waits()
	out := make([]management.Wait, len(found))
	for i, w := range found {
		out[i] = management.Wait{Kind: string(w.Kind), Name: w.Name, Count: 1, InstanceID: w.InstanceID, Where: w.Place}
		if w.Kind == engine.ForOrchestration {
			out[i].Kind = management.WaitChild
		}
		out[i].Since, out[i].Until = management.Moment(w.Since), management.Moment(w.Due)
	}
	return out
}
