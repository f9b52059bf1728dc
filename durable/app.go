package durable

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync/atomic"

	"github.com/durable-go/functions/handler"
	"github.com/durable-go/functions/handler/supervise"
	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/opening"
)

// App is a Functions app: its orchestrators and activities, and the HTTP
// functions and triggers beside them. Register everything, then call Run.
type App struct {
	registry *registry
	log      *slog.Logger
	child    *supervise.Child
	http     map[string]http.Handler
	triggers map[string]trigger
	codec    PayloadCodec
	// errs are the mistakes of the registrations; Run reports them.
	errs []error

	// current is set while the app runs.
	current atomic.Pointer[core]
}

// NewApp makes an app. It must be the first thing that main does: in the
// process that the Functions host starts it does not return, but keeps a child
// of the same program running, in which it does return. A crash of user code
// then ends the child and not the app.
func NewApp() *App {
	child := supervise.Enter(supervise.Options{Port: os.Getenv("FUNCTIONS_CUSTOMHANDLER_PORT"), Log: handler.DefaultLogger()})
	log := handler.NewLogger(os.Stdout, child.Stderr, os.Getenv)
	slog.SetDefault(slog.New(spoken{Handler: log.Handler(), say: child.Say}))
	a := &App{
		registry: newRegistry(), log: log, child: child,
		http:     map[string]http.Handler{},
		triggers: map[string]trigger{},
	}
	a.registry.client = a.Client()
	return a
}

// Register adds orchestrators, activities and entities. Mistakes, such as two of one
// name, are reported by Run.
func (a *App) Register(functions ...Registration) {
	for _, f := range functions {
		if err := a.registry.add(f); err != nil {
			a.errs = append(a.errs, err)
		}
	}
}

// HandleHTTP serves the HTTP function of that name: a folder whose
// function.json has an httpTrigger and an http output. Parameters of the route
// are path values of the request. The names DurableTask and DurableTaskLinks
// are served with the management API unless they are registered here.
func (a *App) HandleHTTP(name string, h http.Handler) {
	if _, twice := a.http[name]; twice {
		a.errs = append(a.errs, fmt.Errorf("HTTP function %q is registered twice", name))
	}
	if isNil(h) {
		a.errs = append(a.errs, fmt.Errorf("HTTP function %q has no handler: nil was given", name))
	}
	a.http[name] = h
}

// Client returns the app's client. It works once Run runs.
func (a *App) Client() *Client {
	return &Client{core: func() (*core, error) {
		if c := a.current.Load(); c != nil {
			return c, nil
		}
		return nil, errNotRunning
	}}
}

// Run serves the app until ctx ends, the process is asked to stop, or something
// is wrong with its configuration. It always returns an error: the Functions
// host does not start a handler again that ended well.
//
// What main then says with package log, such as log.Fatal, is logged at level
// ERROR, unless the app was asked to stop.
func (a *App) Run(ctx context.Context) error {
	err := a.serve(ctx)
	if !errors.Is(err, errStopped) {
		slog.SetLogLoggerLevel(slog.LevelError)
	}
	return err
}

// errStopped is why Run returns when nothing is wrong.
var errStopped = errors.New("the app was asked to stop")

func (a *App) serve(ctx context.Context) error {
	if err := errors.Join(a.errs...); err != nil {
		return err
	}
	if opening.Replay != nil {
		if done, err := opening.Replay(a); done {
			return err
		}
	}
	s, err := newService(a)
	if err != nil {
		return err
	}
	return s.run(ctx)
}

// trigger is user code behind a trigger other than HTTP.
type trigger func(ctx context.Context, inv *handler.Invocation) error

// Trigger tells user code about the invocation that it serves.
type Trigger struct {
	// Function is the name of the function's folder.
	Function string
	// InvocationID is the host's id of the run.
	InvocationID string
	// MessageID and DequeueCount are those of a queue message; empty and 0 for
	// other triggers.
	MessageID    string
	DequeueCount int
	// Blob is what a blob trigger tells of its blob; nil for other triggers.
	Blob *Blob
}

// Blob is what the host tells of the blob of a trigger.
type Blob = handler.Blob

// HandleTrigger serves the function of that name, whose function.json has a
// trigger other than HTTP (queue, timer, Service Bus, Event Grid ...). The
// message is decoded from JSON, base64 or plain text by its first byte; as a
// []byte it comes as it was sent, and as a [None] it is not looked at. A blob comes as
// it is, as a []byte or a string, or decoded from JSON. An error makes the host deliver again: a
// queue message comes back, and moves to <queue>-poison after its fifth failed
// delivery (maxDequeueCount in extensions.durableTask); a timer waits for its
// next tick.
//
// A start with the context of f may be repeated, because the message may be. It
// starts one orchestration all the same: without WithInstanceID its id depends on
// the invocation, and with an id from the message it is [ReturnExisting] unless
// [WithReuse] says otherwise, so an instance of that id, finished or not, is the
// one that was started.
func HandleTrigger[T any](a *App, name string, f func(ctx context.Context, msg T, meta Trigger) error) {
	if _, twice := a.triggers[name]; twice {
		a.errs = append(a.errs, fmt.Errorf("trigger function %q is registered twice", name))
	}
	if f == nil {
		a.errs = append(a.errs, fmt.Errorf("trigger function %q has no implementation: nil was given", name))
	}
	a.triggers[name] = func(ctx context.Context, inv *handler.Invocation) error {
		var msg T
		if _, absent := any(msg).(None); !absent {
			var err error
			if msg, err = handler.Decode[T](inv); err != nil {
				return err
			}
		}
		meta := Trigger{Function: inv.Function.Name, InvocationID: inv.ID, Blob: inv.Blob}
		if inv.Queue != nil {
			meta.MessageID, meta.DequeueCount = inv.Queue.ID, inv.Queue.DequeueCount
		}
		return f(context.WithValue(ctx, triggeredKey{}, true), msg, meta)
	}
}

// triggeredKey marks the contexts of triggers other than HTTP, whose messages may
// be delivered again.
type triggeredKey struct{}

// reuseIn is the reuse policy of starts in a context for which WithReuse chooses
// none.
func reuseIn(ctx context.Context) client.Reuse {
	if ctx.Value(triggeredKey{}) != nil {
		return client.ReturnExisting
	}
	return client.RejectIfRunning
}
