package entity

import (
	"github.com/durable-go/functions/internal/lease"
	"github.com/durable-go/functions/internal/taskhub"
)

// Item is one thing that an entity has to look at: a [*Message], a [Poke], a [Call] or
// an [Alarm].
type Item interface{ item() }

// Message is a message to the entity, with the lease on it.
type Message struct {
	taskhub.Delivery
	Lease *lease.Lease
}

// Poke is a reason to look at the inbox: something was told, and this process held a
// wake-up.
type Poke struct{}

// Alarm says that the entity has waited for a while.
type Alarm struct{}

func (*Message) item() {}
func (Poke) item()     {}
func (Alarm) item()    {}

// Wakes reports whether an item is worth bringing an entity into memory for, rather
// than only of interest to one that is there.
func Wakes(i Item) bool {
	_, message := i.(*Message)
	return message
}
