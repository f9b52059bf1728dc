// Package opening is how package durabletest opens the functions of an app that
// no Functions host serves, without making that a part of the public API.
package opening

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/sealed"
	"github.com/durable-go/functions/internal/worker"
)

// Request says what to open.
type Request struct {
	// App is a *durable.App or nil, Functions are durable.Registrations that
	// come on top of it.
	App       any
	Functions []any
	// Settings is the section extensions.durableTask of a host.json, or nil.
	Settings json.RawMessage
}

// App is an app that was opened.
type App struct {
	// Worker has everything but the store, the journal, the clock and the log.
	Worker worker.Options
	// Hub is the name of the task hub.
	Hub string
	// Connect makes a *durable.Client of a hub, and makes it the client that the
	// app's own functions use.
	Connect func(taskhub.Store, client.Options) any
	// Release ends the use of the app: it may be opened again.
	Release func()
	// HTTP is the HTTP function of a name, and Trigger runs the function of a name with
	// a message: nil, and an error, where the app has none.
	HTTP    func(name string) http.Handler
	Trigger func(ctx context.Context, name string, message []byte) error
	// Orchestrators are the names of those that the app has.
	Orchestrators []string
	// Codec is the app's payload codec, nil where there is none: it is not yet in
	// front of the store.
	Codec sealed.Codec
	// Activity and Program make of a durable.Registration what the worker runs,
	// as a part of the app: with its middleware, its serializer and its client.
	// They are for after Connect.
	Activity func(registration any) (activity.Func, error)
	Program  func(registration any) (engine.Program, error)
}

// Open is set by package durable. The error says what is wrong with the
// functions or the settings.
var Open func(Request) (*App, error)
