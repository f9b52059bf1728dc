package worker

import (
	"context"

	"github.com/durable-go/functions/internal/orchestration"
)

// room is what lives in a worker: an orchestration. Its mailbox holds items of the
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
func (w *Worker) newRoom(id string) room { return orchestrationRoom{orchestration.New(w.env, id)} }

// wakes reports whether an item is worth bringing a room into memory for.
func wakes(item any) bool {
	i, ok := item.(orchestration.Item)
	return ok && orchestration.Wakes(i)
}

type orchestrationRoom struct{ *orchestration.Instance }

func (r orchestrationRoom) pass(ctx context.Context, batch []any) {
	items := make([]orchestration.Item, len(batch))
	for i, it := range batch {
		items[i] = it.(orchestration.Item)
	}
	r.Pass(ctx, items)
}
