package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/durable-go/functions/durable"
)

// httpStart starts the orchestrator that the route names.
func httpStart(client *durable.Client) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, err := start(client, w, r)
		if err == nil {
			err = answerStart(client, w, r, id)
		}
		if err != nil {
			durable.WriteStartError(w, err)
		}
	})
}

// answerStart answers with the URLs to follow the instance; with ?wait= it
// waits for ?timeout= milliseconds first, with ?payload= the status is 200.
func answerStart(client *durable.Client, w http.ResponseWriter, r *http.Request, id string) error {
	query := r.URL.Query()
	switch {
	case query.Get("wait") != "":
		timeout := 30 * time.Second
		if milliseconds, err := strconv.Atoi(query.Get("timeout")); err == nil {
			timeout = time.Duration(milliseconds) * time.Millisecond
		}
		return client.WaitForCompletionOrCheckStatus(w, r, id, timeout)
	case query.Get("payload") != "":
		payload, err := client.ManagementPayload(r, id)
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/json")
		_, err = w.Write(payload)
		return err
	default:
		return client.WriteCheckStatus(w, r, id)
	}
}

func start(client *durable.Client, w http.ResponseWriter, r *http.Request) (string, error) {
	input, err := durable.ReadInput(w, r)
	if err != nil {
		return "", err
	}
	var options []durable.StartOption
	if id := r.URL.Query().Get("id"); id != "" {
		options = append(options, durable.WithInstanceID(id))
	}
	return client.StartNew(r.Context(), r.PathValue("functionName"), input, options...)
}

// answer is what ClientOps says of a call: its result and that result's type in
// JavaScript, or why it failed.
type answer struct {
	OK      bool   `json:"ok"`
	Type    string `json:"type,omitempty"`
	Result  any    `json:"r,omitempty"`
	Message string `json:"message,omitempty"`
}

// status is an instance in the form of the JavaScript SDK.
type status struct {
	Name          string `json:"name"`
	InstanceID    string `json:"instanceId"`
	RuntimeStatus string `json:"runtimeStatus"`
	Input         value  `json:"input"`
	CustomStatus  value  `json:"customStatus"`
	Output        value  `json:"output"`
	CreatedTime   string `json:"createdTime"`
	LastUpdated   string `json:"lastUpdatedTime"`
}

// clientOps calls the client's operation that the route names.
func clientOps(client *durable.Client) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, err := operate(client, r, r.PathValue("op"), r.PathValue("id"))
		if err != nil {
			a = answer{Message: err.Error()}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(a) // the caller is gone when this fails
	})
}

// nothing is the answer to an operation that has no result.
var nothing = answer{OK: true, Type: "undefined"}

func operate(client *durable.Client, r *http.Request, op, id string) (answer, error) {
	switch op {
	case "status":
		s, err := client.Status(r.Context(), id)
		if errors.Is(err, durable.ErrNotFound) {
			return answer{OK: true, Type: "string", Result: ""}, nil
		}
		if err != nil {
			return answer{}, err
		}
		return answer{OK: true, Type: "object", Result: statusOf(s)}, nil
	case "raise":
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return answer{}, err
		}
		return done(client.RaiseEvent(r.Context(), id, r.URL.Query().Get("event"), value(data)))
	case "terminate":
		return done(client.Terminate(r.Context(), id, r.URL.Query().Get("reason")))
	case "rewind":
		return done(client.Rewind(r.Context(), id, r.URL.Query().Get("reason")))
	case "purge":
		purged, err := client.Purge(r.Context(), id)
		if err != nil && !errors.Is(err, durable.ErrNotFound) {
			return answer{}, err
		}
		return answer{OK: true, Type: "object", Result: map[string]int{"instancesDeleted": purged.Instances}}, nil
	case "signal", "read":
		return operateEntity(client, r, op, counter.ID(id))
	default:
		return answer{}, fmt.Errorf("there is no operation %q", op)
	}
}

// operateEntity signals a counter or reads it.
func operateEntity(client *durable.Client, r *http.Request, op string, id durable.EntityID) (answer, error) {
	if op == "signal" {
		in, err := io.ReadAll(r.Body)
		if err != nil {
			return answer{}, err
		}
		return done(client.SignalEntity(r.Context(), id, r.URL.Query().Get("o"), value(in)))
	}
	state, exists, err := durable.ReadEntity[value](r.Context(), client, id)
	if err != nil {
		return answer{}, err
	}
	result := map[string]any{"entityExists": exists}
	if exists {
		result["entityState"] = state
	}
	return answer{OK: true, Type: "object", Result: result}, nil
}

// done is the answer of the JavaScript SDK to an operation without a result,
// which is silent about an instance that has finished.
func done(err error) (answer, error) {
	if err != nil && !errors.Is(err, durable.ErrFinished) {
		return answer{}, err
	}
	return nothing, nil
}

func statusOf(s *durable.Status) status {
	return status{
		s.Name, s.InstanceID, s.RuntimeStatus, s.Input, s.CustomStatus, s.Output,
		s.Created.Format(time.RFC3339), s.LastUpdated.Format(time.RFC3339),
	}
}
