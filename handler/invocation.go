package handler

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Invocation is one run of a function that the host asks for by envelope: any
// trigger but HTTP.
type Invocation struct {
	// ID is the host's id of the run; a redelivered message has a new one.
	ID string
	// Function is the name of the function's folder.
	Function *Function
	// TraceParent and TraceState are the W3C trace context that the host has sent; empty
	// where it sent none, as it does without OpenTelemetry of its own.
	TraceParent, TraceState string
	// Body is the value of the trigger: the message of a queue, decoded from
	// what the host wraps it in, else JSON.
	Body []byte
	// Queue is set for queue triggers, Blob for blob triggers.
	Queue *QueueMessage
	Blob  *Blob
}

// QueueMessage is a message of a queue that the host holds for an invocation.
type QueueMessage struct {
	Queue, ID, PopReceipt string
	DequeueCount          int
	Inserted              time.Time
	Body                  []byte
}

// envelope is the body of the host's request.
type envelope struct {
	Data     map[string]json.RawMessage
	Metadata map[string]json.RawMessage
}

func decodeInvocation(f *Function, id string, raw []byte) (*Invocation, error) {
	var e envelope
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, fmt.Errorf("function %s: the host's request does not parse: %w", f.Name, err)
	}
	value, ok := e.Data[f.Trigger.Name]
	if !ok {
		return nil, fmt.Errorf("function %s: the host's request has no data for binding %q", f.Name, f.Trigger.Name)
	}
	inv := &Invocation{ID: id, Function: f, Body: triggerValue(f.Trigger, value)}
	switch {
	case strings.EqualFold(f.Trigger.Type, "queueTrigger"):
		inv.Queue = queueMessage(f, inv.Body, e.Metadata)
	case isBlob(f.Trigger):
		inv.Blob = blobOf(e.Metadata)
	}
	return inv, nil
}

// triggerValue undoes what the host does to values: base64 for binary ones, a
// JSON text inside a JSON string for strings.
func triggerValue(b Binding, raw json.RawMessage) []byte {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return raw
	}
	if strings.EqualFold(b.DataType, "binary") || isBlob(b) {
		if plain, err := base64.StdEncoding.DecodeString(text); err == nil {
			return plain
		}
	}
	var inner string
	if strings.HasPrefix(text, `"`) && json.Unmarshal([]byte(text), &inner) == nil {
		return []byte(inner)
	}
	return []byte(text)
}

func queueMessage(f *Function, body []byte, metadata map[string]json.RawMessage) *QueueMessage {
	m := &QueueMessage{Queue: f.Trigger.QueueName, ID: scalar(metadata["Id"]), PopReceipt: scalar(metadata["PopReceipt"]), Body: body}
	m.DequeueCount, _ = strconv.Atoi(scalar(metadata["DequeueCount"]))
	m.Inserted, _ = time.Parse(time.RFC3339, scalar(metadata["InsertionTime"]))
	return m
}

// scalar reads a value of the metadata, which the host encodes once or twice.
func scalar(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return string(raw)
	}
	var inner string
	if json.Unmarshal([]byte(text), &inner) == nil {
		return inner
	}
	return text
}

// Decode reads the message of a trigger as a T: JSON, or base64 of JSON, or,
// for a string, plain text; the first byte tells. A []byte is the message as it
// was sent. A blob is JSON, and as a []byte or a string what it is.
func Decode[T any](inv *Invocation) (T, error) {
	var v T
	raw := inv.Body
	if text, ok := any(&v).(*string); ok && inv.Blob != nil {
		*text = string(raw)
		return v, nil
	}
	if plain, ok := any(&v).(*[]byte); ok {
		*plain = raw
		return v, nil
	}
	trimmed := bytes.TrimSpace(raw)
	err := json.Unmarshal(trimmed, &v)
	if err == nil {
		return v, nil
	}
	if inv.Blob != nil {
		return v, fmt.Errorf("the blob is no %v: %w", reflect.TypeFor[T](), err)
	}
	if plain, decodeErr := base64.StdEncoding.DecodeString(string(trimmed)); decodeErr == nil && json.Unmarshal(plain, &v) == nil {
		return v, nil
	}
	if text, ok := any(&v).(*string); ok {
		*text = string(raw)
		return v, nil
	}
	return v, fmt.Errorf("the message is no %v: %w", reflect.TypeFor[T](), err)
}
