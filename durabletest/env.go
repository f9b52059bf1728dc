package durabletest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/opening"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/faults"
	"github.com/durable-go/functions/internal/taskhub/memory"
	"github.com/durable-go/functions/internal/taskhub/sealed"
	"github.com/durable-go/functions/internal/worker"
)

// Env is an app that runs on a task hub in memory, in virtual time. Its methods
// are for the goroutine of the test, unless they say otherwise.
type Env struct {
	t *testing.T
	// example means that the environment is that of an Example, whose t no test reads:
	// what would fail a test panics.
	example bool
	options Options
	app     *opening.App
	hub     *memory.Hub
	// store is the hub behind the app's codec.
	store  taskhub.Store
	codec  *codec
	client *durable.Client
	began  time.Time
	log    *slog.Logger

	activities    activities
	orchestrators orchestrators

	mu sync.Mutex // guards the rest
	// process is the one that runs now; processes counts those that ran.
	process   *process
	processes int
	ended     bool
	// workers are those of all processes; hangs means that code of an orchestrator
	// was given up and has not come back.
	workers []*worker.Worker
	hangs   bool
	replays replays
}

// Options change how an environment is made. The zero value is what Run uses.
type Options struct {
	// App is an app whose functions, with everything that is set on it, are
	// tested; the functions given to Run come on top. It must not be in another
	// environment at the same time.
	App *durable.App
	// Settings is the section extensions.durableTask of a host.json, such as
	// {"defaultVersion": "2.0"}.
	Settings string
	// Start is the time at which the test begins, if later than the default,
	// which is midnight UTC of January 1, 2000.
	Start time.Time
	// Cached keeps orchestrations in memory between their turns, as an app does
	// that runs, and replays none of them. By default they are replayed often, so
	// that code that does not do the same each time is found: see "Determinism"
	// in the package documentation.
	Cached bool
	// Loose compares neither the inputs of calls nor the times of timers, as an app
	// does by default. By default an environment compares them, as an app with the
	// setting strictReplay does. It is for inputs that differ from replay to replay
	// and do no harm, such as those of a serializer that orders fields at random.
	Loose bool
	// Unregistered lets calls of activities and entities that the test does not have
	// fail, as they do in an app. By default such a call fails the test.
	Unregistered bool
	// Log takes the log of the engine. By default warnings and errors go to the
	// output of the test, each line once.
	Log *slog.Logger

	// between makes the store that the app's process uses; nil: the hub itself. For
	// tests of this package.
	between func(taskhub.Store) taskhub.Store
}

// Run runs a test with an app of the given functions. It does not return before
// everything that the test started has ended, and fails the test when something
// cannot end, such as an activity that waits for a channel, with the stacks of
// all that hangs; other tests go on. An orchestrator that blocks fails the test,
// unless it lets the clock move by ten seconds and sees what [Instance.Parked]
// says. Goroutines that hang stay until the test binary ends. What waits for a
// lock or a system call, or never waits, makes the test hang, and so does a test
// that itself waits for ever.
//
// The test runs in a bubble of package testing/synctest: it must use the t and
// env that it is given, must not call t.Run or t.Parallel (call them outside),
// and its goroutines and channels are its own. Environments are independent of
// each other, so tests may be parallel.
func Run(t *testing.T, test func(t *testing.T, env *Env), functions ...durable.Registration) {
	t.Helper()
	Options{}.Run(t, test, functions...)
}

// Run is the function Run with options.
func (o Options) Run(t *testing.T, test func(t *testing.T, env *Env), functions ...durable.Registration) {
	t.Helper()
	var env *Env
	hang := bubble(t, func(t *testing.T) {
		var err error
		if env, err = o.open(t, false, functions); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := env.finish(); err != nil {
				t.Errorf("durabletest: %v", err)
			}
		})
		test(t, env)
	})
	if hang != nil && !env.hangs {
		t.Fatalf("durabletest: %v", hang)
	}
	if t.Failed() {
		t.FailNow()
	}
}

// Example is Run for Examples, which have no *testing.T: what would fail a test
// panics.
func Example(example func(env *Env), functions ...durable.Registration) {
	Options{}.Example(example, functions...)
}

// Example is the function Example with options.
func (o Options) Example(example func(env *Env), functions ...durable.Registration) {
	var panicked any
	var env *Env
	hang := bubble(new(testing.T), func(t *testing.T) {
		defer func() { panicked = recover() }()
		var err error
		if env, err = o.open(t, true, functions); err != nil {
			panic(err)
		}
		finished := false
		defer func() {
			if !finished {
				env.close()
				env.app.Release()
			}
		}()
		example(env)
		finished = true
		if err := env.finish(); err != nil {
			panic("durabletest: " + err.Error())
		}
	})
	if panicked == nil && hang != nil && !env.hangs {
		panicked = "durabletest: " + hang.Error()
	}
	if panicked != nil {
		panic(panicked)
	}
}

func (o Options) open(t *testing.T, example bool, functions []durable.Registration) (*Env, error) {
	e := &Env{t: t, example: example, options: o, hub: memory.New(memory.Options{StoreInputs: true}), log: o.Log}
	r := opening.Request{Settings: json.RawMessage(o.Settings)}
	if o.App != nil {
		r.App = o.App
	}
	for _, f := range functions {
		r.Functions = append(r.Functions, f)
	}
	e.replays = replays{next: map[string]int{}, length: map[string]int{}, left: map[string]int{}}
	var err error
	if e.app, err = opening.Open(r); err != nil {
		return nil, fmt.Errorf("durabletest: %w", err)
	}
	if e.log == nil {
		out := io.Discard
		if !example {
			out = t.Output()
		}
		e.log = slog.New(defaultLog(out))
	}
	e.orchestrators.registered = e.app.Worker.Programs
	e.app.Worker.Programs = e.orchestrators.program
	e.app.Worker.Places = true
	e.app.Worker.Strict = e.app.Worker.Strict || !o.Loose
	e.store = e.hub
	if e.app.Codec != nil {
		e.codec = &codec{inner: e.app.Codec}
		e.store = sealed.New(e.hub, e.codec)
	}
	if wait := time.Until(o.Start); wait > 0 {
		<-time.After(wait)
	}
	e.began = time.Now()
	clients := client.Options{Local: local{e}}
	if e.app.Worker.Dispatch == worker.Local {
		clients.Lease = e.app.Worker.Lease
	}
	e.client = e.app.Connect(e.store, clients).(*durable.Client)
	if err := e.begin(); err != nil {
		e.app.Release()
		return nil, fmt.Errorf("durabletest: %w", err)
	}
	return e, nil
}

// local hands what the client starts to the process that runs then.
type local struct{ e *Env }

func (l local) Started(d taskhub.Delivery, row *taskhub.Instance) {
	l.e.current().worker.Started(d, row)
}

func (l local) Holds(id string) bool { return l.e.current().worker.Holds(id) }

func (l local) Poke(id string) bool { return l.e.current().worker.Poke(id) }

func (l local) AwaitAnswer(id, telling string) (<-chan history.Payload, func()) {
	return l.e.current().worker.AwaitAnswer(id, telling)
}

func (l local) Current(id string) (origin, name string, ok bool) {
	return l.e.current().worker.Current(id)
}

func (l local) Sent(d taskhub.Delivery) { l.e.current().worker.Sent(d) }

func (l local) Watch(id string) (<-chan struct{}, func()) { return l.e.current().worker.Watch(id) }

// process is one run of the app.
type process struct {
	store  *faults.Store
	worker *worker.Worker
	// stop ends the polling, and the goroutine that waits for the death of the
	// process; gone is closed when that has ended.
	stop context.CancelFunc
	gone chan struct{}
}

// begin starts a process. Nobody else may be starting or ending one.
func (e *Env) begin() error {
	o, store := e.app.Worker, e.store
	if !e.options.Cached {
		store, o.Keep = recorder{store, e}, e.keep
	}
	if e.options.between != nil {
		store = e.options.between(store)
	}
	p := &process{store: faults.New(store, 0, faults.DieBefore), gone: make(chan struct{})}
	o.Store, o.Gauge, o.Log, o.Activities, o.Entities = p.store, e.hub, e.log, e.activity, e.entity
	var err error
	if p.worker, err = worker.New(o); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	p.worker.Poll(ctx, taskhub.ControlQueue(e.app.Hub))
	p.worker.PollActivities(ctx, taskhub.WorkItemQueue(e.app.Hub))
	e.mu.Lock()
	e.process = p
	e.workers = append(e.workers, p.worker)
	e.processes++
	e.mu.Unlock()
	go e.watch(ctx, p)
	return nil
}

// watch begins a new process when the store of this one has died.
func (e *Env) watch(ctx context.Context, p *process) {
	defer close(p.gone)
	select {
	case <-ctx.Done():
		return
	case <-p.store.Dead():
	}
	p.stop()
	p.worker.Kill()
	e.mu.Lock()
	ended := e.ended
	e.mu.Unlock()
	if !ended {
		// The options were good the first time.
		_ = e.begin() //nolint:contextcheck // a process outlives the one before it
	}
}

func (e *Env) current() *process {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.process
}

// finish ends everything, and says what is wrong with what happened.
func (e *Env) finish() error {
	defer e.app.Release()
	seen := e.hanging()
	e.close()
	if err := e.unseen(seen); err != nil {
		return err
	}
	return e.verify()
}

// close ends the process, and one that began while it ended.
func (e *Env) close() {
	e.mu.Lock()
	e.ended = true
	e.mu.Unlock()
	for {
		p := e.current()
		p.stop()
		p.worker.Kill()
		<-p.gone
		if p == e.current() {
			return
		}
	}
}

// Client is a client of the task hub: another process, which never dies.
func (e *Env) Client() *durable.Client { return e.client }

// fatal ends the test.
func (e *Env) fatal(format string, args ...any) {
	if e.example {
		panic("durabletest: " + fmt.Sprintf(format, args...))
	}
	e.t.Helper()
	e.t.Fatalf("durabletest: "+format, args...)
}
