package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

const (
	// boardName is the blob that says who looks and who notes.
	boardName = "reconciler.json"
	// maxSlots bounds the processes that note what they work on.
	maxSlots = 1000
	// slotLasts is how long a process may note nothing before another one may get its
	// slot; a process claims its slot anew after half of that.
	slotLasts = 20 * time.Minute
)

// board is what the processes of a hub know of each other.
type board struct {
	// Looker is the process that looks, Beat a number that it changes with every look.
	Looker string
	Beat   int64
	// Slots are the processes that note what they work on, by the number of their note.
	Slots []string
}

// note says which instances a process works on.
type note struct {
	Process string
	Beat    int64
	// Instances are hashes of their ids.
	Instances []uint64
	// About and At are for people.
	About About
	At    time.Time
}

// hashOf is what a note has of an id.
func hashOf(id string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))
	return h.Sum64()
}

func noteName(slot int) string { return fmt.Sprintf("working-%03d.json", slot) }

// Blobs keep small blobs of a hub, as [taskhub.Store] does.
type Blobs interface {
	Secrets(ctx context.Context, name string, initial []byte) ([]byte, error)
	ReplaceSecret(ctx context.Context, name string, old, new []byte) error
}

// blob is a JSON document that several processes change.
type blob[T any] struct {
	name string
	raw  []byte // as it was read or written last; nil: never
}

func (b *blob[T]) read(ctx context.Context, store Blobs) (value T, err error) {
	if b.raw, err = store.Secrets(ctx, b.name, []byte("{}")); err != nil {
		return value, err
	}
	return b.value(), nil
}

// value is what the document said last; one that cannot be decoded is as an empty one.
func (b *blob[T]) value() (value T) {
	if json.Unmarshal(b.raw, &value) != nil {
		var none T
		return none
	}
	return value
}

// write replaces the document as it was read or written last. taskhub.ErrChanged:
// another process was faster; read it again.
func (b *blob[T]) write(ctx context.Context, store Blobs, value T) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if err := store.ReplaceSecret(ctx, b.name, b.raw, raw); err != nil {
		return err
	}
	b.raw = raw
	return nil
}

// change reads the document and writes what f makes of it, until no other process was
// faster.
func (b *blob[T]) change(ctx context.Context, store Blobs, f func(T) T) error {
	for try := 0; ; try++ {
		value, err := b.read(ctx, store)
		if err != nil {
			return err
		}
		err = b.write(ctx, store, f(value))
		if !errors.Is(err, taskhub.ErrChanged) || try == 10 {
			return err
		}
	}
}
