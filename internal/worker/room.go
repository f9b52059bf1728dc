package worker

import (
	"context"

	"github.com/durable-go/functions/internal/entity"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/lease"
	"github.com/durable-go/functions/internal/orchestration"
	"github.com/durable-go/functions/internal/taskhub"
)

// room is what lives in a worker: an orchestration or an entity. Its mailbox holds items of the
// room's own package.
type room interface {
	// pass looks at what came until it is durable, put off, or given back.
	pass(ctx context.Context, batch []any)
	// Busy reports whether the room must stay in memory, Useful whether an idle one is
	// worth its memory, Events how much of that it takes.
	Busy() bool
	Useful() bool
	Events() int
	// CanLook, Holding and Current are as those of an orchestration.
	CanLook() bool
	Holding() bool
	Current() (origin, name string, ok bool)
	// Drop forgets everything as the end of the process does; Release gives all
	// messages back, ReleaseLeases does so while the room is driven.
	Drop(cause error)
	Release(ctx context.Context)
	ReleaseLeases(ctx context.Context)
}

// newRoom makes the room of an instance.
func (w *Worker) newRoom(id string) room {
	if history.IsEntity(id) {
		return entityRoom{entity.New(w.entities, id)}
	}
	return orchestrationRoom{orchestration.New(w.env, id)}
}

// message is what the room of an instance gets of a message that this process holds.
func message(d taskhub.Delivery, l *lease.Lease, row *taskhub.Instance) any {
	if history.IsEntity(d.Message.Target.InstanceID) {
		return &entity.Message{Delivery: d, Lease: l}
	}
	return &orchestration.Message{Delivery: d, Lease: l, Row: row}
}

// poke is a reason to look at the inbox.
func poke(id string) any {
	if history.IsEntity(id) {
		return entity.Poke{}
	}
	return orchestration.Poke{}
}

// wakes reports whether an item is worth bringing a room into memory for.
func wakes(item any) bool {
	switch i := item.(type) {
	case orchestration.Item:
		return orchestration.Wakes(i)
	case entity.Item:
		return entity.Wakes(i)
	}
	return false
}

type orchestrationRoom struct{ *orchestration.Instance }

func (r orchestrationRoom) pass(ctx context.Context, batch []any) {
	items := make([]orchestration.Item, len(batch))
	for i, it := range batch {
		items[i] = it.(orchestration.Item)
	}
	r.Pass(ctx, items)
}

type entityRoom struct{ *entity.Entity }

func (r entityRoom) pass(ctx context.Context, batch []any) {
	items := make([]entity.Item, len(batch))
	for i, it := range batch {
		items[i] = it.(entity.Item)
	}
	r.Pass(ctx, items)
}
