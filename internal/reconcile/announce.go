package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

// announceEvery is how often a process notes what it works on.
const announceEvery = 5 * time.Second

// Announcer notes in the hub which instances this process works on, so that no other
// takes them for lost. It makes two requests every five seconds in which the process
// works on any, and none otherwise. Its methods are for one goroutine.
type Announcer struct {
	Store Blobs
	// Process names this process; no other has the name.
	Process string
	// Working are the instances that this process works on.
	Working func() []string
	// About is noted with it.
	About About
	Log   *slog.Logger

	board   blob[board]
	note    blob[note]
	slot    int
	claimed bool
	last    time.Time
	failed  bool
}

// Run notes until ctx ends.
func (a *Announcer) Run(ctx context.Context) {
	ticker := time.NewTicker(announceEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		err := a.announce(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil && !a.failed {
			a.Log.Warn("other processes cannot see what this one works on", "error", err)
		}
		a.failed = err != nil
	}
}

func (a *Announcer) announce(ctx context.Context) error {
	ids := a.Working()
	if len(ids) == 0 {
		return nil
	}
	if !a.claimed || time.Since(a.last) > slotLasts/2 {
		if err := a.claim(ctx); err != nil {
			return fmt.Errorf("claiming a note of the hub: %w", err)
		}
	}
	n := note{Process: a.Process, Beat: a.note.value().Beat + 1, About: a.About, At: time.Now().UTC()}
	for _, id := range ids {
		n.Instances = append(n.Instances, hashOf(id))
	}
	slices.Sort(n.Instances)
	n.Instances = slices.Compact(n.Instances)
	err := a.note.write(ctx, a.Store, n)
	if errors.Is(err, taskhub.ErrChanged) {
		a.claimed = false // another process has the slot now
	}
	if err != nil {
		return fmt.Errorf("noting what this process works on: %w", err)
	}
	a.last = time.Now()
	return nil
}

// claim takes a slot that no process has, or keeps the one that this process has.
func (a *Announcer) claim(ctx context.Context) error {
	a.board.name = boardName
	err := a.board.change(ctx, a.Store, func(b board) board {
		a.slot = slices.Index(b.Slots, a.Process)
		if a.slot < 0 {
			if a.slot = slices.Index(b.Slots, ""); a.slot < 0 && len(b.Slots) < maxSlots {
				a.slot, b.Slots = len(b.Slots), append(b.Slots, "")
			}
		}
		if a.slot >= 0 {
			b.Slots[a.slot] = a.Process
		}
		return b
	})
	if err != nil {
		return err
	}
	if a.slot < 0 {
		return errors.New("too many processes")
	}
	a.note = blob[note]{name: noteName(a.slot)}
	_, err = a.note.read(ctx, a.Store)
	a.claimed = err == nil
	return err
}

// Notes are what the processes of a hub say they work on, at one moment.
type Notes struct{ notes map[string]note }

// ReadNotes reads them. It makes a request for each process, and one more.
func ReadNotes(ctx context.Context, store Blobs) (Notes, error) {
	b := blob[board]{name: boardName}
	known, err := b.read(ctx, store)
	if err != nil {
		return Notes{}, err
	}
	out := Notes{map[string]note{}}
	for i, process := range known.Slots {
		if process == "" {
			continue
		}
		n := blob[note]{name: noteName(i)}
		value, err := n.read(ctx, store)
		if err != nil {
			return Notes{}, err
		}
		out.notes[process] = value
	}
	return out, nil
}

// NotesChange is how long after ReadNotes a second one finds every note changed of a
// process that lives and works on something.
const NotesChange = announceEvery + 2*time.Second

// Any reports whether any process has noted anything.
func (n Notes) Any() bool { return len(n.notes) > 0 }

// Working reports whether a process says that it works on an instance, and has said
// something since the earlier notes were read.
func (n Notes) Working(id string, earlier Notes) bool {
	hash := hashOf(id)
	for process, note := range n.notes {
		if _, found := slices.BinarySearch(note.Instances, hash); found && note.Beat != earlier.notes[process].Beat {
			return true
		}
	}
	return false
}
