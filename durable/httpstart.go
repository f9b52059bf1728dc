package durable

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
)

// Startable is an [*Orchestrator], whatever it takes and returns.
type Startable interface {
	Name() string
	startable()
}

func (o *Orchestrator[In, Out]) startable() {}

// HTTPStart is an HTTP function that starts an orchestration and answers as
// [Client.WriteCheckStatus] does. The body of the request is the input, and the
// parameter id of the query the instance id. The id of an instance that has finished
// starts the orchestrator AGAIN, that of an unfinished one is answered 409: the example
// of [ReadInput] starts once, however often the request comes. A single orchestrator is the one that starts; of several, or
// where none is given of all of the app, the route names it:
//
//	"route": "orchestrators/{functionName}"
//
// A name that is not among them is answered 404; see [WriteStartError] for the
// rest.
func HTTPStart(c *Client, orchestrators ...Startable) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, err := startedBy(r, orchestrators)
		if err != nil {
			WriteStartError(w, err)
			return
		}
		input, err := ReadInput(w, r)
		if err != nil {
			WriteStartError(w, err)
			return
		}
		var options []StartOption
		if id := r.URL.Query().Get("id"); id != "" {
			options = append(options, WithInstanceID(id))
		}
		id, err := c.StartNew(r.Context(), name, input, options...)
		if err != nil {
			WriteStartError(w, err)
			return
		}
		if err := c.WriteCheckStatus(w, r, id); err != nil {
			WriteStartError(w, err)
		}
	})
}

// startedBy is the name of the orchestrator that a request starts.
func startedBy(r *http.Request, among []Startable) (string, error) {
	name := r.PathValue("functionName")
	if len(among) != 1 {
		name = cmp.Or(name, r.PathValue("name"))
	}
	switch {
	case len(among) == 0:
		return name, nil
	case name == "" && len(among) == 1:
		return among[0].Name(), nil
	}
	known := make([]string, len(among))
	for i, o := range among {
		if known[i] = o.Name(); strings.EqualFold(known[i], name) {
			return known[i], nil
		}
	}
	return "", fmt.Errorf("%w: %w", ErrUnknownOrchestrator, unknownFunction(name, "orchestrator", known))
}
