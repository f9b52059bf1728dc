package durable

import (
	"errors"
	"fmt"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/management"
	"github.com/durable-go/functions/internal/opening"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/worker"
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
	registry, app, errs := newRegistry(), (*App)(nil), []error(nil)
	if r.App != nil {
		app = r.App.(*App)
		// Its functions know it by this registry, not by the clone.
		app.registry.apply(settings)
		registry = app.registry.clone()
		errs = append(errs, app.errs...)
	}
	registry.apply(settings)
	for _, f := range r.Functions {
		errs = append(errs, f.(Registration).register(registry))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	o := settings.worker(registry)
	o.Control = taskhub.ControlQueue(settings.HubName)
	o.WorkItems = func(string) string { return taskhub.WorkItemQueue(settings.HubName) }
	connect := func(store taskhub.Store, o client.Options) any {
		o.Queue, o.MaxPayload = taskhub.ControlQueue(settings.HubName), settings.MaxPayload
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
		Activity: registry.bindActivity, Program: registry.bindProgram,
	}
	if app != nil && app.codec != nil {
		opened.Codec = app.codec
	}
	return opened, nil
}

// alone is a registry with one function and everything else of this one.
func (r *registry) alone(registration any) (*registry, error) {
	c := r.clone()
	clear(c.orchestrators)
	clear(c.activities)
	return c, registration.(Registration).register(c)
}

func (r *registry) bindActivity(registration any) (worker.ActivityFunc, error) {
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
