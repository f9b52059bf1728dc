package reconcile

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

// seenNote is a note and when it was seen to change.
type seenNote struct {
	note
	changed time.Time
}

// elect decides which process looks, and makes it known.
func (r *Reconciler) elect(ctx context.Context, first bool) error {
	var b board
	var err error
	if r.looker {
		b = r.board.value()
	} else if b, err = r.board.read(ctx, r.Hub); err != nil {
		return err
	}
	for try := 0; ; try++ {
		if mine := b.Looker == r.Process; !mine && !first && b.Looker != "" && (b.Beat != r.beat || time.Since(r.since) < 2*every-again) {
			if b.Beat != r.beat {
				r.beat, r.since = b.Beat, time.Now()
			}
			r.looker = false
			return nil
		}
		b.Looker, b.Beat = r.Process, b.Beat+1
		b.Slots = r.prune(b.Slots)
		err := r.board.write(ctx, r.Hub, b)
		if err == nil {
			r.looker = true
			return nil
		}
		if !errors.Is(err, taskhub.ErrChanged) || try == 5 {
			r.looker = false
			return err
		}
		if b, err = r.board.read(ctx, r.Hub); err != nil {
			return err
		}
	}
}

// prune takes the slots of processes away that have noted nothing for long.
func (r *Reconciler) prune(slots []string) []string {
	slots = slices.Clone(slots)
	for i := range slots {
		if n := r.notes[i]; n != nil && n.Process == slots[i] && time.Since(n.changed) > slotLasts {
			slots[i] = ""
			delete(r.notes, i)
		}
	}
	for len(slots) > 0 && slots[len(slots)-1] == "" {
		slots = slots[:len(slots)-1]
	}
	return slots
}

// workingHere are hashes of the instances that this process works on.
func (r *Reconciler) workingHere() map[uint64]bool {
	working := map[uint64]bool{}
	for _, id := range r.Working() {
		working[hashOf(id)] = true
	}
	return working
}

// readNotes reads what other processes work on.
func (r *Reconciler) readNotes(ctx context.Context) error {
	known, err := r.board.read(ctx, r.Hub)
	if err != nil {
		return err
	}
	for i, process := range known.Slots {
		if process == "" || process == r.Process {
			continue
		}
		b := blob[note]{name: noteName(i)}
		n, err := b.read(ctx, r.Hub)
		if err != nil {
			return err
		}
		if seen := r.notes[i]; seen == nil || seen.Process != process || seen.Beat != n.Beat {
			n.Process = process
			r.notes[i] = &seenNote{note: n, changed: time.Now()}
		}
	}
	return nil
}

// isNoted reports whether another process says that it works on an instance, and has
// said something since the given time.
func (r *Reconciler) isNoted(id string, since time.Time) bool {
	hash := hashOf(id)
	for _, n := range r.notes {
		if _, found := slices.BinarySearch(n.Instances, hash); found && n.changed.After(since) {
			return true
		}
	}
	return false
}
