package durable

import (
	"context"
	"errors"

	"github.com/durable-go/functions/internal/management"
	"github.com/durable-go/functions/internal/reconcile"
	"github.com/durable-go/functions/internal/taskhub"
)

// announcer notes in the hub what this process works on.
func (s *service) announcer() *reconcile.Announcer {
	return &reconcile.Announcer{Store: s.store, Process: s.process, Working: s.worker.Working, About: s.about(), Log: s.app.log}
}

// about is what this process tells of itself to people.
func (s *service) about() reconcile.About {
	about := management.ThisProcess()
	about.Version = s.settings.Versions.current
	about.TurnSlots, about.ActivitySlots = s.worker.OrchestratorSlots, s.worker.ActivitySlots
	return about
}

// reconcile heals the hub until ctx ends.
func (s *service) reconcile(ctx context.Context) {
	r := s.reconciler()
	if strays := s.newStrays(); strays != nil {
		official := &officialApp{hub: s.raw, name: s.settings.HubName, log: s.app.log}
		r.Each = func(ctx context.Context) {
			if err := errors.Join(strays.look(ctx), official.look(ctx)); err != nil && ctx.Err() == nil {
				s.app.log.Warn("what other apps do on the task hub cannot be looked for now", "error", err)
			}
		}
		defer strays.group.Wait()
	}
	r.Run(ctx)
}

// reconciler finds instances that no process works on. An instance that is suspected
// to end its process is worked on in another process of this app, or waits for that.
func (s *service) reconciler() *reconcile.Reconciler {
	o := reconcile.Options{
		Hub: s.store, Gauge: s.gauge, Process: s.process, Working: s.worker.Working, Elsewhere: s.app.child.Journal.Quarantined,
		ControlOf: s.queues.controlOf, Lease: s.settings.Lease, Log: s.app.log,
	}
	if s.app.child.Journal.Supervised() {
		// What another instance of the app suspects waits there for its trial.
		o.Prepare = func(ctx context.Context) { s.marks.learn(ctx, "") }
	}
	return reconcile.New(o)
}

// newProcess names this process to others on the hub.
func newProcess() string { return taskhub.NewID()[:16] }
