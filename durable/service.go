package durable

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/durable-go/functions/handler"
	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/hostname"
	"github.com/durable-go/functions/internal/management"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
	"github.com/durable-go/functions/internal/taskhub/memory"
	"github.com/durable-go/functions/internal/worker"
)

// stopWithin bounds how long an app that is asked to stop may take.
const stopWithin = 10 * time.Second

// service is an app that runs.
type service struct {
	app      *App
	config   *handler.App
	settings settings
	queues   *queues
	store    taskhub.Store
	// gauge looks at queues; nil where the store has none.
	gauge taskhub.Gauge
	// raw is the queues beside messages; nil where there is no account.
	raw rawHub
	// account is nil where the hub is in memory.
	account *storage.Account
	// stored is the hub as it is stored; nil where it is in memory.
	stored *azure.Hub
	// traffic counts the requests to storage.
	traffic management.Traffic
	worker  *worker.Worker
	server  *handler.Server
	ready   chan struct{}
	// scalesIn means that the plan ends processes that look idle.
	scalesIn bool
	marks    *hubMarks
	// process names this process to others on the hub.
	process string
	// recycled means that this process makes room for another one.
	recycled atomic.Bool
	// background ends with the context of run.
	background sync.WaitGroup
}

// newService checks the configuration and connects the parts. It sends no
// request.
func newService(a *App) (*service, error) {
	root := os.Getenv("FUNCTIONS_APP_ROOT_PATH")
	if root == "" {
		root = "."
	}
	config, err := handler.Load(root, os.Environ())
	if err != nil {
		return nil, err
	}
	s := &service{app: a, config: config, ready: make(chan struct{}), process: newProcess()}
	if err := s.readSettings(); err != nil {
		return nil, err
	}
	if err := s.openStore(); err != nil {
		return nil, err
	}
	s.gauge, _ = s.store.(taskhub.Gauge)
	s.raw, _ = s.store.(rawHub)
	s.seal()
	s.marks = newMarks(s.store, a.child.Journal, a.log)
	if err := s.newWorker(); err != nil {
		return nil, err
	}
	core := s.newCore()
	if err := s.newServer(core); err != nil {
		return nil, err
	}
	a.current.Store(core)
	return s, nil
}

func (s *service) readSettings() error {
	settings, unknown, err := parseSettings(s.config.DurableTask)
	if err != nil {
		return err
	}
	for _, key := range unknown {
		var hint []any
		if name := likelyName(key); name != "" {
			hint = []any{"did you mean", name}
		}
		s.app.log.Warn("host.json: this setting of extensions.durableTask has no effect here", append([]any{"setting", key}, hint...)...)
	}
	if settings.Partitions == 0 && !inMemory() {
		s.app.log.Warn(noPartitions)
	}
	if hub := os.Getenv("TaskHub"); hub != "" && hub != settings.HubName {
		return fmt.Errorf("the app setting TaskHub is %q and hubName in host.json is %q: function.json listens to the queues of one and the engine works on the other; make them the same", hub, settings.HubName)
	}
	s.settings = settings
	s.app.registry.apply(settings)
	s.scalesIn = scalesIn(os.Getenv("WEBSITE_SKU"))
	s.queues, err = newQueues(settings.HubName, s.withoutCode(), s.app.registry)
	return err
}

// withoutCode are the functions for which the app has registered no handler.
func (s *service) withoutCode() (out []*handler.Function) {
	coded := append(slices.Collect(maps.Keys(s.app.triggers)), slices.Collect(maps.Keys(s.app.http))...)
	for _, f := range s.config.Functions {
		if !slices.ContainsFunc(coded, func(name string) bool { return strings.EqualFold(name, f.Name) }) {
			out = append(out, f)
		}
	}
	return out
}

// scalesIn reports whether a plan ends instances whose invocations are over.
func scalesIn(sku string) bool {
	return strings.EqualFold(sku, "Dynamic") || strings.EqualFold(sku, "FlexConsumption")
}

// inMemory reports whether the hub is in the memory of this process, where no tool
// finds it.
func inMemory() bool { return strings.EqualFold(os.Getenv("AzureWebJobsStorage"), "memory") }

func (s *service) openStore() error {
	if inMemory() {
		s.store = memory.New(memory.Options{StoreInputs: s.settings.StoreInputs})
		return nil
	}
	connection, err := storage.Resolve("AzureWebJobsStorage", os.Getenv)
	if err != nil {
		return err
	}
	if s.account, err = storage.Open(connection, storage.Options{Changed: s.serviceChanged, Requested: s.requested()}); err != nil {
		return fmt.Errorf("setting AzureWebJobsStorage: %w", err)
	}
	s.stored, err = azure.Open(s.account, s.settings.HubName, azure.Options{
		MaxLarge: largest(s.settings.MaxPayload), StoreInputs: s.settings.StoreInputs, Queues: s.queues.apart(), Spilled: s.app.registry.spilled(),
	})
	if err == nil {
		s.store = s.stored
	}
	return err
}

// serviceChanged tells of a storage service that is away, and is back.
func (s *service) serviceChanged(service storage.Service, err error, away time.Duration) {
	if err != nil {
		s.app.log.Error("storage service does not answer; requests are repeated until it does", "service", service, "error", err)
		return
	}
	s.app.log.Info("storage service answers again", "service", service, "away", away.Round(time.Millisecond))
}

// largest is the longest text that a payload may become, in a message and
// encoded: a byte takes up to six there.
func largest(payload int) int { return 8*payload + 1<<20 }

func (s *service) newWorker() (err error) {
	o := s.settings.worker(s.app.registry)
	o.Store, o.Journal, o.Log = s.store, supervised{s.app.child.Journal}, s.app.log
	o.Control, o.ControlOf, o.WorkItems = s.queues.control, s.queues.controlOf, s.queues.workOf
	switch {
	case s.settings.LocalBudget != nil:
		o.Budget = *s.settings.LocalBudget
	case s.scalesIn:
		o.Budget = 2 * time.Second
	}
	o.Queues, o.Gauge = append([]string{s.queues.control, s.queues.work}, s.queues.apart()...), s.gauge
	if s.account != nil {
		o.Reported = storage.Unreachable
	}
	if s.raw != nil {
		o.PoisonAfter = s.settings.MaxPoisonDeliveries
		o.Poison = func(ctx context.Context, queue, body string) error { return s.raw.Put(ctx, queue+"-poison", body) }
	}
	if o.LogEnds = !inAzure(); s.settings.LogEnds != nil {
		o.LogEnds = *s.settings.LogEnds
	}
	s.worker, err = worker.New(o)
	return err
}

func (s *service) newCore() *core {
	o := client.Options{Queue: s.queues.control, QueueOf: s.queues.controlOf, Local: s.worker, MaxPayload: s.settings.MaxPayload, MaxWaiting: s.settings.MaxWaiting, Observer: s.app.registry.observer}
	if !s.settings.DispatchQueue {
		o.Lease = s.settings.Lease
	}
	return &core{
		client: client.New(sending{s.store, s.app.child.Journal, o.Lease}, o),
		links: &management.Links{
			Keys: management.NewKeys(s.store, s.settings.HubName, time.Now), Path: s.mount("DurableTaskLinks"),
			Front: s.front(), Lifetime: s.settings.LinkLifetime,
		},
		registry: s.app.registry, site: s.site(),
	}
}

// front says how callers reach the app.
func (s *service) front() management.Front {
	f := management.Front{
		Base: s.settings.BaseURL, Trusted: s.settings.TrustForwarded,
		Host: s.app.child.Listener != nil || os.Getenv("FUNCTIONS_CUSTOMHANDLER_PORT") != "",
	}
	if site := os.Getenv("WEBSITE_HOSTNAME"); hostname.Valid(site) {
		f.Site = site
	}
	return f
}

// mount is the path of a function whose route ends in a catch-all.
func (s *service) mount(name string) string {
	f := s.config.Function(name)
	if f == nil {
		return "/" + strings.Trim(s.config.RoutePrefix+"/"+strings.ToLower(name), "/")
	}
	route, _, _ := strings.Cut(f.Route, "{")
	return "/" + strings.Trim(route, "/")
}

// run serves until something ends it.
func (s *service) run(ctx context.Context) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	if s.app.child.Trial {
		return s.tryAlone(ctx)
	}
	listener, standalone, err := s.listen()
	if err != nil {
		return err
	}
	s.app.child.Ready()
	created := make(chan error, 1)
	go func() { created <- s.create(ctx) }()
	if s.server.Standalone = standalone; standalone {
		s.standalone(listener)
	}
	serving, ended := context.WithCancel(ctx)
	defer ended()
	served := make(chan error, 1)
	go func() { served <- s.server.Serve(serving, listener, stopWithin) }()
	if s.app.child.Journal.Supervised() {
		s.background.Go(func() { s.recycle(serving, ended) })
	}
	select {
	case err = <-created:
		if err == nil {
			s.begin(serving)
			err = <-served
		}
	case err = <-served:
	}
	ended()
	s.background.Wait()
	bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	s.worker.Stop(bound)
	s.app.registry.flush(bound, s.app.log)
	switch {
	case err == nil && s.recycled.Load():
		err = errRecycled
	case err == nil:
		err = errStopped
	}
	return err
}

// begin lets work in: the hub exists. Without a host the worker receives from its
// queues itself.
func (s *service) begin(ctx context.Context) {
	if s.app.child.Journal.Supervised() {
		s.marks.show(ctx)
		s.background.Go(func() { s.marks.keep(ctx) })
		s.background.Go(func() { s.takeOver(ctx) })
	}
	s.background.Go(func() { s.announcer().Run(ctx) })
	s.background.Go(func() { s.reconcile(ctx) })
	close(s.ready)
	if !s.server.Standalone {
		return
	}
	s.worker.Poll(ctx, append(slices.Collect(maps.Values(s.queues.ofOrchestrator)), s.queues.control)...)
	s.worker.PollActivities(ctx, append(slices.Collect(maps.Values(s.queues.ofActivity)), s.queues.work)...)
}

// create makes the hub. Storage that cannot be reached is waited for.
func (s *service) create(ctx context.Context) error {
	owner := taskhub.Owner{Site: os.Getenv("WEBSITE_SITE_NAME"), Shared: s.settings.SharedHub}
	said := false
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := s.store.Create(ctx, owner)
		if err == nil || errors.Is(err, taskhub.ErrForeignHub) {
			return err
		}
		if !said {
			said = true
			s.app.log.Error("the storage account does not answer; trying again until it does (AzureWebJobsStorage says where it is)", "error", err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return errStopped
		}
	}
}

// listen returns the listener of the supervisor, or one on the port of the
// host, or, without a host, one on the address of DURABLE_STANDALONE.
func (s *service) listen() (l net.Listener, standalone bool, err error) {
	if s.app.child.Listener != nil {
		return s.app.child.Listener, false, nil
	}
	address := os.Getenv("DURABLE_STANDALONE")
	if port := os.Getenv("FUNCTIONS_CUSTOMHANDLER_PORT"); port != "" {
		l, err = net.Listen("tcp", "127.0.0.1:"+port)
		return l, false, err
	}
	if address == "" {
		return nil, false, errors.New("no Functions host started this program (FUNCTIONS_CUSTOMHANDLER_PORT is not set): run \"func start\" or \"go run ./cmd/durable start\", or set DURABLE_STANDALONE to an address such as 127.0.0.1:7071")
	}
	if l, err = net.Listen("tcp", address); err != nil {
		err = fmt.Errorf("%w (the flag --port of \"durable start\", or DURABLE_STANDALONE, names another port)", err)
	}
	return l, true, err
}
