package durabletest

import (
	"encoding/json"
	"net/http"
)

// HTTP is the HTTP function of that name, for a request of net/http/httptest: one
// that [Options].App has by its HandleHTTP. DurableTask and DurableTaskLinks, to
// which the links of answers lead, are there as well. A name that the app does not
// have ends the test.
func (e *Env) HTTP(name string) http.Handler {
	e.t.Helper()
	h := e.app.HTTP(name)
	if h == nil {
		e.fatal("the App has no HTTP function %q: App.HandleHTTP makes one, and Options.App is the App", name)
	}
	return h
}

// Trigger runs the function of that name, which [Options].App has by
// durable.HandleTrigger, with a message, and returns its error. Each call is an
// invocation of its own: a second one with the same message is what the function
// sees when the host delivers the message again. A string or []byte is the message
// as it is, anything else its JSON. A name that the app does not have is an error.
func (e *Env) Trigger(name string, message any) error {
	e.t.Helper()
	var raw []byte
	switch m := message.(type) {
	case string:
		raw = []byte(m)
	case []byte:
		raw = m
	default:
		var err error
		if raw, err = json.Marshal(m); err != nil {
			e.fatal("the message for %q: %v", name, err)
		}
	}
	return e.app.Trigger(e.context(), name, raw)
}
