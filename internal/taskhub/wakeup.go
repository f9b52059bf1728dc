package taskhub

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// A wake-up has the type of the message by which official tools tell that a history has
// changed in place; lookOptions, or options that begin with lookPrefix, mark it as ours.
const (
	lookReason  = "look at the inbox"
	lookOptions = `{"look":true}`
	lookPrefix  = `{"look":true`
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
	return m.Event.Type == history.GenericEvent && bytes.HasPrefix(m.Event.Own.Options, []byte(lookPrefix))
}

// Healing is what a wake-up asks for that is sent where no process seems to work on an
// instance. Its sender has evidence of that: the process that gets the wake-up does
// what it asks for, even if another one has recorded it as its own.
type Healing struct {
	// Look is always true: it marks a wake-up.
	Look bool `json:"look"`
	// Actions are the ids of open actions to be done again: activities are run, children
	// started, timers whose time has come fire.
	Actions []int32 `json:"actions,omitempty"`
	// Owed asks for what the end of an execution owes others: its parent is told again.
	Owed bool `json:"owed,omitempty"`
}

// IsAsked reports whether more than a look is asked for.
func (h *Healing) IsAsked() bool { return h.Owed || len(h.Actions) > 0 }

// MaxHealed is how many actions one wake-up names.
const MaxHealed = 1000

// Heal makes a wake-up that asks for more than a look. seed makes its id, as that of
// [Look].
func Heal(instance, seed string, h Healing, now time.Time) *Message {
	m := Look(instance, seed, now)
	h.Look = true
	raw, err := json.Marshal(h)
	if err != nil {
		panic(err) // it has nothing that JSON cannot say
	}
	m.ID, m.Event.Own.Options = GUID("heal", instance, seed), raw
	return m
}

// HealingOf is what a wake-up asks for; nothing for every other message.
func HealingOf(m *Message) *Healing {
	h := &Healing{}
	if !IsLook(m) || json.Unmarshal(m.Event.Own.Options, h) != nil {
		return &Healing{}
	}
	return h
}

// Started makes the start message of a row, as who wrote the row has made it: the
// two are one message. It does not name a parent.
func Started(row *Instance) *Message {
	ref := history.InstanceRef{InstanceID: row.ID, ExecutionID: row.ExecutionID}
	return &Message{
		ID: GUID("start", ref.InstanceID, ref.ExecutionID), Target: ref,
		Event: &history.Event{
			Type: history.ExecutionStarted, ID: history.NoID, Timestamp: row.Created, Instance: ref, Name: row.Name, Version: row.Version,
			Input: row.Input, Tags: row.Tags, ScheduledStart: row.Scheduled, Generation: row.Generation,
		},
	}
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
