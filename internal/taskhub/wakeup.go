package taskhub

import (
	"time"

	"github.com/durable-go/functions/internal/history"
)

// A wake-up has the type of the message by which official tools tell that a history has
// changed in place; lookOptions mark it as ours.
const (
	lookReason  = "look at the inbox"
	lookOptions = `{"look":true}`
)

// Look makes a wake-up: a message that carries nothing, and is a reason to look at
// the inbox of the instance. seed makes its id: two of one seed are one message.
func Look(instance, seed string, now time.Time) *Message {
	return &Message{
		ID:     GUID("look", instance, seed),
		Target: history.InstanceRef{InstanceID: instance},
		Event:  &history.Event{Type: history.GenericEvent, ID: history.NoID, Timestamp: now, Reason: history.Payload(lookReason), Own: history.Own{Options: history.Payload(lookOptions)}},
	}
}

// IsLook reports whether a message is a wake-up of ours, and not one by which official
// tools tell that a history has changed in place.
func IsLook(m *Message) bool {
	return m.Event.Type == history.GenericEvent && string(m.Event.Own.Options) == lookOptions
}

// ReceiptsTold is how long a teller may repeat a telling: receipts are kept longer.
const ReceiptsTold = 7 * 24 * time.Hour

// Origins is the execution that was started, of which the one that the fence names is
// a continuation, or itself.
func (f *Fence) Origins() string {
	if f.State.Origin != "" {
		return f.State.Origin
	}
	return f.ExecutionID
}

// Origins is the execution that was started, of which the one that the row names is a
// continuation, or itself.
func (i *Instance) Origins() string {
	if i.Origin != "" {
		return i.Origin
	}
	return i.ExecutionID
}
