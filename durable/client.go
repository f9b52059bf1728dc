package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/durable-go/functions/handler"
	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/management"
	"github.com/durable-go/functions/internal/taskhub"
)

// Client starts orchestrations, tells them what to do, and asks what became of
// them. It may be used concurrently. An app's client works once the app runs: in
// its HTTP functions, triggers and activities. Other programs have NewClient.
type Client struct {
	// core returns what the client works with, once there is something.
	core func() (*core, error)
}

// core is a client's connection to a task hub.
type core struct {
	client   *client.Client
	links    *management.Links
	registry *registry
	// outside means that the client is not the app's, whose functions it does not
	// know.
	outside bool
	// site is what the app tells of itself to those who may manage it.
	site management.Site
}

// errNotRunning means that the app's client was used too early.
var errNotRunning = errors.New("durable: the app's client works only while App.Run runs")

// Start starts the orchestrator. It returns when the start is stored; nothing
// can lose it then. See the options for the id and other choices.
//
// An id that was used before starts the orchestrator AGAIN once its instance has
// finished: with WithReuse(ReturnExisting) it never does, which is the default in
// a [HandleTrigger].
func (o *Orchestrator[In, Out]) Start(ctx context.Context, c *Client, in In, options ...StartOption) (*Instance[Out], error) {
	id, err := c.start(ctx, o.name, in, options)
	if err != nil {
		return nil, err
	}
	return &Instance[Out]{ID: id, client: c, of: o.name}, nil
}

// Get is the handle of an instance of the orchestrator that exists, or may exist.
// It makes no request: that the instance is one of another orchestrator comes out as
// an error of [Instance.Result].
func (o *Orchestrator[In, Out]) Get(c *Client, instanceID string) *Instance[Out] {
	return &Instance[Out]{ID: instanceID, client: c, of: o.name}
}

// StartNew starts an orchestrator by name. The input is encoded as JSON; a
// json.RawMessage is stored as it is. It returns the instance's id. A name that
// the app does not know is ErrUnknownOrchestrator, with the known ones in the
// text.
func (c *Client) StartNew(ctx context.Context, orchestrator string, input any, options ...StartOption) (string, error) {
	return c.start(ctx, orchestrator, input, options)
}

func (c *Client) start(ctx context.Context, name string, in any, options []StartOption) (string, error) {
	core, err := c.core()
	if err != nil {
		return "", err
	}
	if _, err := core.registry.program(name, core.registry.versions.current); err != nil && !core.outside {
		return "", fmt.Errorf("%w: %w", ErrUnknownOrchestrator, err)
	}
	input, err := core.registry.encode(in)
	if err != nil {
		return "", fmt.Errorf("input of orchestrator %q: %w", name, err)
	}
	s := client.Start{Name: name, Version: core.registry.versions.current, Input: input, Reuse: reuseIn(ctx)}
	for _, option := range options {
		option.start(&s)
	}
	deriveIDs(ctx, &s, "start")
	row, err := core.client.Start(ctx, s)
	if err != nil {
		return "", fmt.Errorf("starting orchestrator %q: %w", name, err)
	}
	return row.ID, nil
}

// deriveIDs makes the ids of a start within an invocation of the host, or
// within an activity, depend on that and on what is started: one whose process died
// is repeated, and the repeated start must find the first one.
func deriveIDs(ctx context.Context, s *client.Start, asked ...string) {
	at := ""
	if !s.At.IsZero() {
		at = s.At.Format(time.RFC3339Nano)
	}
	asked = append(asked, strings.ToLower(s.Name), s.Version, s.InstanceID, string(s.Input), at, string(history.AppendTags(nil, s.Tags)))
	what := taskhub.GUID(asked...)
	invocation, n, ok := handler.Ordinal(ctx, what)
	if !ok {
		return
	}
	if s.InstanceID == "" {
		s.InstanceID = taskhub.DerivedID("instance", invocation, what, fmt.Sprint(n))
	}
	s.ExecutionID = taskhub.DerivedID("execution", invocation, what, fmt.Sprint(n))
}

// Instance is an orchestration whose result is an Out, in a client's task hub.
type Instance[Out any] struct {
	// ID is the instance id.
	ID     string
	client *Client
	// of is the name of the orchestrator; empty: any.
	of string
}

// Result waits until the orchestration has finished and returns its result. One
// that failed or was terminated is an [*OrchestrationError], in which errors.Is
// and errors.As find registered errors, in whatever program. One that the engine
// has parked is a [*ParkedError] at once, unless [WithWaitWhileParked] is given.
// An instance of another orchestrator, or a result that is no Out, is an error that
// says so. The error of ctx when that ends first.
//
// The failure is read from the history: two requests more than for a result.
func (r *Instance[Out]) Result(ctx context.Context, options ...WaitOption) (out Out, err error) {
	core, err := r.client.core()
	if err != nil {
		return out, err
	}
	o := waitOptionsOf(options)
	row, err := core.client.WaitUntil(ctx, r.ID, func(row *taskhub.Instance) bool { return o.stops(row) || r.foreign(row) })
	switch {
	case err != nil:
		return out, err
	case r.foreign(row):
		return out, fmt.Errorf("instance %q is an orchestration of %q, not of %q", row.ID, row.Name, r.of)
	case o.stops(row):
		return out, parkedError(row)
	case !row.Status.Finished():
		return out, ctx.Err()
	case row.Status != history.Completed:
		return out, core.failed(ctx, row)
	}
	if out, err = decode[Out](core.registry, row.Output); err != nil {
		err = fmt.Errorf("the result of instance %q (%s) is no %v: %w", row.ID, row.Name, reflect.TypeFor[Out](), err)
	}
	return out, err
}

// foreign reports whether a row is of another orchestrator, whose result is another type.
func (r *Instance[Out]) foreign(row *taskhub.Instance) bool {
	return r.of != "" && !strings.EqualFold(row.Name, r.of)
}

// Status is what is known of an instance.
type Status struct {
	InstanceID string
	// ParentInstanceID is the instance that called this one as its child; empty: none.
	ParentInstanceID string
	Name             string
	Version          string
	RuntimeStatus    RuntimeStatus
	Input            json.RawMessage
	// Output is the result, or a JSON string that says why the instance failed,
	// was terminated or suspended.
	Output json.RawMessage
	// Failure is how an instance failed or was terminated, with type, stack and
	// causes; nil unless [WithFailure] asks for it.
	Failure *OrchestrationError
	// Parked says why the engine has stopped working on the instance, whose
	// RuntimeStatus is StatusSuspended then: usually its code does not fit its history.
	// It is empty for one that an operator has suspended.
	Parked       string
	CustomStatus json.RawMessage
	Created      time.Time
	LastUpdated  time.Time
	// ScheduledStart is that of WithStartTime; usually zero.
	ScheduledStart time.Time
	Tags           map[string]string
	// Err says why an instance of a list could not be read; RuntimeStatus is
	// StatusUnknown then, and nothing else is set but the id.
	Err error
}

// Status reads an instance, with one request. ErrNotFound when there is none.
func (c *Client) Status(ctx context.Context, id string, options ...StatusOption) (*Status, error) {
	core, err := c.core()
	if err != nil {
		return nil, err
	}
	var o readOptions
	for _, option := range options {
		option.status(&o)
	}
	row, err := core.client.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	return core.status(ctx, row, o)
}

// asJSON makes a JSON string of a text that is no JSON, such as the reason of a
// failure.
func asJSON(p history.Payload) json.RawMessage {
	if p == nil || json.Valid(p) {
		return json.RawMessage(p)
	}
	return history.AppendString(nil, p)
}

// WriteCheckStatus answers an HTTP request that started an instance: 202, the
// official payload of management URLs, and the status URL in Location. The URLs
// are signed: whoever has one can do what it says, with this instance only.
func (c *Client) WriteCheckStatus(w http.ResponseWriter, r *http.Request, id string) error {
	core, err := c.core()
	if err != nil {
		return err
	}
	if err := core.linked(); err != nil {
		return err
	}
	return core.links.WriteCheckStatus(w, r, id)
}

// WriteStartError answers an HTTP request whose start failed: 404 for an
// unknown orchestrator, 400 for a bad id or body, 409 for an instance that is
// not finished, 413 for an input that is too large, 503 with Retry-After when storage
// does not answer: a start that is repeated then with the same id and input finds its
// own. Any other error is 500 without details, and logged with slog.Default at level
// ERROR.
func WriteStartError(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, ErrUnknownOrchestrator):
		management.WriteError(w, http.StatusNotFound, err.Error())
	case errors.As(err, new(*badInputError)):
		management.WriteError(w, http.StatusBadRequest, err.Error())
	case !management.WriteStartError(w, err):
		management.WriteFault(w, slog.Default(), "a start failed", err)
	}
}

// ReadInput reads the body of an HTTP request as the input of an orchestrator:
// one JSON value, or nothing; at most maxPayload bytes. Its errors are for WriteStartError.
func ReadInput(w http.ResponseWriter, r *http.Request) (json.RawMessage, error) {
	raw, err := management.ReadInput(w, r, payloadLimit(r.Context()))
	return json.RawMessage(raw), err
}
