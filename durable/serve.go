package durable

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/durable-go/functions/handler"
	"github.com/durable-go/functions/internal/management"
	"github.com/durable-go/functions/internal/taskhub"
)

// newServer gives each function of the app its handler, and says what has none.
func (s *service) newServer(c *core) error {
	s.server = &handler.Server{App: s.config, Log: s.app.log, Journal: s.app.child.Journal, Ready: s.ready, BodyWithin: s.settings.BodyWithin}
	for _, conflict := range s.config.RouteConflicts() {
		s.app.log.Warn("functions of different authLevel have paths in common, and their names decide which one runs", "functions", conflict)
	}
	api := c.api(s.app.log)
	if s.config.Function("DurableTask") != nil && s.config.Function("DurableTaskLinks") != nil {
		api.Site.Doors = management.Doors{Operators: s.mount("DurableTask"), Links: s.mount("DurableTaskLinks")}
	}
	if len(s.app.http) > 0 && !s.config.Proxied {
		s.app.log.Warn("host.json: HTTP functions need customHandler.enableProxyingHttpRequest: true; without it the host's requests are answered 500")
	}
	for name, h := range s.app.http {
		if err := s.server.HandleHTTP(name, s.app.registry.observeHTTP(name, s.limited(h))); err != nil {
			return fmt.Errorf("HTTP function %q: %w", name, err)
		}
	}
	for name, t := range s.app.triggers {
		if err := s.server.HandleInvocation(name, s.userTrigger(t)); err != nil {
			return fmt.Errorf("trigger function %q: %w", name, err)
		}
	}
	for name, door := range map[string]func(string) http.Handler{"DurableTask": api.Operators, "DurableTaskLinks": api.Signed} {
		if f := s.config.Function(name); f != nil && !s.server.Handled(f) {
			if err := s.server.HandleHTTP(name, s.app.registry.observeHTTP(name, door(s.mount(name)))); err != nil {
				return err
			}
		}
	}
	return s.connectQueues()
}

// connectQueues gives the hub's queues to the worker, and says what is missing.
func (s *service) connectQueues() error {
	for _, f := range s.config.Functions {
		if s.server.Handled(f) {
			continue
		}
		if s.queues.listeners[f.Trigger.QueueName] != f {
			s.app.log.Warn("function has a folder but no handler; its invocations fail", "function", f.Name)
			continue
		}
		if err := s.server.HandleInvocation(f.Name, s.queueFunction()); err != nil {
			return err
		}
	}
	for _, queue := range []string{s.queues.control, s.queues.work} {
		if s.queues.listeners[queue] == nil && s.account != nil {
			s.app.log.Warn("no function listens to a queue of the task hub; add a folder whose function.json has a queueTrigger on it", "queue", queue)
		}
	}
	return nil
}

// queueFunction hands messages of the hub's queues to the worker. Where the
// plan ends processes that look idle, one invocation stays open while the
// worker has work.
func (s *service) queueFunction() func(context.Context, *handler.Invocation) error {
	var open sync.Mutex
	return func(ctx context.Context, inv *handler.Invocation) error {
		d := s.delivery(ctx, inv.Queue)
		if diverted, err := s.divert(ctx, d); diverted || err != nil {
			return err
		}
		if err := s.worker.Deliver(ctx, d, true); err != nil {
			return err
		}
		if s.scalesIn && open.TryLock() {
			defer open.Unlock()
			s.worker.WaitIdle(ctx)
		}
		return nil
	}
}

// hostHolds is how long the host hides a message that it hands over.
const hostHolds = 10 * time.Minute

func (s *service) delivery(ctx context.Context, m *handler.QueueMessage) taskhub.Delivery {
	d := taskhub.Delivery{
		Lease:    &taskhub.Lease{Queue: m.Queue, MessageID: m.ID, PopReceipt: m.PopReceipt, Body: string(m.Body), Until: time.Now().Add(hostHolds)},
		Dequeued: m.DequeueCount,
		Inserted: m.Inserted,
	}
	s.open(ctx, &d, m.Body)
	return d
}

// open decodes a message. One of a foreign client has the id of the queue.
func (s *service) open(ctx context.Context, d *taskhub.Delivery, body []byte) {
	d.Message, d.Err = s.store.Open(ctx, body)
	if d.Message != nil && d.Message.ID == "" {
		d.Message.ID = d.Lease.MessageID
	}
}

// userTrigger runs user code: known to the journal, its panics caught, its
// hopeless queue messages moved away.
func (s *service) userTrigger(t trigger) func(context.Context, *handler.Invocation) error {
	return func(ctx context.Context, inv *handler.Invocation) error {
		err := s.runTrigger(ctx, inv, t)
		if err == nil || inv.Queue == nil || inv.Queue.DequeueCount < s.settings.MaxPoisonDeliveries {
			return err
		}
		s.app.log.Error("queue message failed too often and is moved to the poison queue", "function", inv.Function.Name, "message", inv.Queue.ID, "deliveries", inv.Queue.DequeueCount, "error", err)
		return s.poison(ctx, inv.Queue, inv.Function.Trigger.Connection)
	}
}

func (s *service) runTrigger(ctx context.Context, inv *handler.Invocation, t trigger) (err error) {
	key, dequeued := "trigger:"+inv.ID, 0
	if inv.Queue != nil {
		key, dequeued = "trigger:"+inv.Queue.ID, inv.Queue.DequeueCount
	}
	leave, err := s.app.child.Journal.Enter(ctx, key, dequeued)
	if err != nil {
		return err
	}
	defer leave()
	run := func(ctx context.Context) error { return t(ctx, inv) }
	if panicked := handler.Protect(func() { err = s.app.registry.observeTrigger(ctx, inv, run) }); panicked != nil {
		return panicked
	}
	return err
}
