package durable

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Startable is an [*Orchestrator], whatever it takes and returns.
type Startable interface {
	Name() string
	// accepts returns an error when the orchestrator cannot read an input.
	accepts(r *registry, input json.RawMessage) error
}

func (o *Orchestrator[In, Out]) accepts(r *registry, input json.RawMessage) error {
	p, err := r.encode(input)
	if err == nil {
		var in In
		err = r.decodeSent(p, &in)
	}
	if err != nil {
		return &badInputError{o.name, err}
	}
	return nil
}

// badInputError is the error of a request whose body is no input of an orchestrator.
type badInputError struct {
	orchestrator string
	cause        error
}

func (e *badInputError) Error() string {
	return fmt.Sprintf("the body is no input of orchestrator %q: %v", e.orchestrator, e.cause)
}

func (e *badInputError) Unwrap() error { return e.cause }

// HTTPStart is an HTTP function that starts an orchestration and answers as
// [Client.WriteCheckStatus] does. The body of the request is the input, and the
// parameter id of the query the instance id. The id of an instance that has finished
// starts the orchestrator AGAIN, that of an unfinished one is answered 409: the example
// of [ReadInput] starts once, however often the request comes. A single orchestrator is
// the one that starts; of several, or where none is given of all of the app, the route
// names it:
//
//	"route": "orchestrators/{functionName}"
//
// A name that is not among them is answered 404, a body that one of those given cannot
// read 400, and nothing is started; see [WriteStartError] for the rest.
func HTTPStart(c *Client, orchestrators ...Startable) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, err := startByHTTP(c, w, r, orchestrators)
		if err == nil {
			err = c.WriteCheckStatus(w, r, id)
		}
		if err != nil {
			WriteStartError(w, err)
		}
	})
}

// startByHTTP starts what a request asks for, and returns its id.
func startByHTTP(c *Client, w http.ResponseWriter, r *http.Request, among []Startable) (string, error) {
	name, o, err := startedBy(r, among)
	if err != nil {
		return "", err
	}
	input, err := ReadInput(w, r)
	if err != nil {
		return "", err
	}
	core, err := c.core()
	if err != nil {
		return "", err
	}
	if o != nil {
		if err := o.accepts(core.registry, input); err != nil {
			return "", err
		}
	}
	var options []StartOption
	if id := r.URL.Query().Get("id"); id != "" {
		options = append(options, WithInstanceID(id))
	}
	return c.StartNew(r.Context(), name, input, options...)
}

// startedBy is the name of the orchestrator that a request starts, and the orchestrator
// where it is among those given.
func startedBy(r *http.Request, among []Startable) (string, Startable, error) {
	name := r.PathValue("functionName")
	if len(among) != 1 {
		name = cmp.Or(name, r.PathValue("name"))
	}
	switch {
	case len(among) == 0:
		return name, nil, nil
	case name == "" && len(among) == 1:
		return among[0].Name(), among[0], nil
	}
	known := make([]string, len(among))
	for i, o := range among {
		if known[i] = o.Name(); strings.EqualFold(known[i], name) {
			return known[i], o, nil
		}
	}
	return "", nil, fmt.Errorf("%w: %w", ErrUnknownOrchestrator, unknownFunction(name, "orchestrator", known))
}
