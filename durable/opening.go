package durable

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/durable-go/functions/handler"
	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/management"
	"github.com/durable-go/functions/internal/opening"
	"github.com/durable-go/functions/internal/taskhub"
)

func init() { opening.Open = open }

// open serves package durabletest.
func open(r opening.Request) (*opening.App, error) {
	settings, unknown, err := parseSettings(r.Settings)
	if err == nil && len(unknown) > 0 {
		err = fmt.Errorf("settings without effect: %q", unknown)
	}
	if err != nil {
		return nil, err
	}
	app, _ := r.App.(*App)
	if app != nil && !app.current.CompareAndSwap(nil, &core{}) {
		return nil, errors.New("the App runs already, or is in another environment: make one for each test")
	}
	registry, err := app.lend(settings, r.Functions)
	if err != nil {
		app.giveBack()
		return nil, err
	}
	o := settings.worker(registry)
	o.Control = taskhub.ControlQueue(settings.HubName)
	o.WorkItems = func(string) string { return taskhub.WorkItemQueue(settings.HubName) }
	o.Queues = []string{o.Control, o.WorkItems("")}
	connect := func(store taskhub.Store, o client.Options) any {
		o.Queue, o.MaxPayload, o.MaxWaiting = taskhub.ControlQueue(settings.HubName), settings.MaxPayload, settings.MaxWaiting
		o.Observer = registry.observer
		links := &management.Links{Keys: management.NewKeys(store, settings.HubName, time.Now), Path: "/api/durabletask-links"}
		c := &core{client: client.New(store, o), links: links, registry: registry}
		if app != nil {
			app.current.Store(c)
		}
		registry.client = &Client{core: func() (*core, error) { return c, nil }}
		return registry.client
	}
	opened := &opening.App{
		Worker: o, Hub: settings.HubName, Connect: connect, Orchestrators: registry.knownOrchestrators(),
		Activity: registry.bindActivity, Program: registry.bindProgram, Release: app.giveBack,
		HTTP: app.httpFunction, Trigger: app.runTrigger,
	}
	if app != nil && app.codec != nil {
		opened.Codec = app.codec
	}
	return opened, nil
}

// lend makes the registry of an environment: of the app, which may be nil, and
// the functions.
func (a *App) lend(s settings, functions []any) (*registry, error) {
	r, errs := newRegistry(), []error(nil)
	if a != nil {
		// Its functions know it by this registry, not by the clone.
		a.registry.apply(s)
		r = a.registry.clone()
		errs = append(errs, a.errs...)
	}
	r.apply(s)
	for _, f := range functions {
		errs = append(errs, r.add(f))
	}
	return r, errors.Join(errs...)
}

// giveBack ends the use of the app, which may be nil, by an environment.
func (a *App) giveBack() {
	if a != nil {
		a.current.Store(nil)
	}
}

// alone is a registry with one function and everything else of this one.
func (r *registry) alone(registration any) (*registry, error) {
	c := r.clone()
	clear(c.orchestrators)
	clear(c.activities)
	return c, registration.(Registration).register(c)
}

func (r *registry) bindActivity(registration any) (activity.Func, error) {
	c, err := r.alone(registration)
	for _, entry := range c.activities {
		return entry.run, err
	}
	return nil, err
}

func (r *registry) bindProgram(registration any) (engine.Program, error) {
	c, err := r.alone(registration)
	for _, entry := range c.orchestrators {
		return entry.program, err
	}
	return nil, err
}

// httpFunction is the HTTP function of a name; nil where the app has none.
func (a *App) httpFunction(name string) http.Handler {
	if a == nil {
		return nil
	}
	c := a.current.Load()
	switch h := a.http[name]; {
	case h != nil:
		return a.registry.observeHTTP(name, h)
	case name == "DurableTask":
		return c.api(slog.Default()).Operators("/api/durabletask")
	case name == "DurableTaskLinks":
		return c.api(slog.Default()).Signed(c.links.Path)
	}
	return nil
}

// runTrigger runs a trigger function as an invocation of the host does.
func (a *App) runTrigger(ctx context.Context, name string, message []byte) (err error) {
	if a == nil || a.triggers[name] == nil {
		return fmt.Errorf("the app has no trigger function %q: durable.HandleTrigger makes one", name)
	}
	queued := &handler.QueueMessage{ID: taskhub.NewGUID(), DequeueCount: 1, Inserted: time.Now(), Body: message}
	inv := &handler.Invocation{ID: taskhub.NewGUID(), Function: &handler.Function{Name: name}, Body: message, Queue: queued}
	run := func(ctx context.Context) error { return a.triggers[name](ctx, inv) }
	if panicked := handler.Protect(func() { err = a.registry.observeTrigger(handler.WithInvocation(ctx, inv.ID), inv, run) }); panicked != nil {
		return panicked
	}
	return err
}
