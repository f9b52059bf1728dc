package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// check looks at the instances whose time has come, as many as the minute has room
// for: those that were looked at least often first, then those that were changed last.
func (r *Reconciler) check(ctx context.Context) error {
	now := time.Now()
	if r.Prepare != nil && r.hasDue(now) {
		r.Prepare(ctx)
	}
	working := r.workingHere()
	var due []*tracked
	for id, t := range r.tracked {
		switch {
		case working[hashOf(id)] || r.Elsewhere != nil && r.Elsewhere(id):
			delete(r.tracked, id)
		case !t.next.After(now):
			due = append(due, t)
		}
	}
	slices.SortFunc(due, func(a, b *tracked) int {
		return cmp.Or(cmp.Compare(a.looks, b.looks), b.row.Updated.Compare(a.row.Updated))
	})
	due = due[:min(len(due), max(r.tokens, 0))]
	if len(due) == 0 {
		return nil
	}
	r.tokens -= len(due)
	if err := r.readNotes(ctx); err != nil {
		return err
	}
	return r.checkAll(ctx, due)
}

func (r *Reconciler) hasDue(now time.Time) bool {
	for _, t := range r.tracked {
		if !t.next.After(now) {
			return true
		}
	}
	return false
}

// checkAll looks at instances, then sends what they need. One that fails is looked at
// again in a minute.
func (r *Reconciler) checkAll(ctx context.Context, due []*tracked) (failed error) {
	c := &checking{Reconciler: r, queued: map[string]time.Time{}}
	gone := make([]bool, len(due))
	for i, err := range all(len(due), func(i int) (err error) {
		gone[i], err = c.one(ctx, due[i])
		return err
	}) {
		failed = cmp.Or(failed, due[i].failing(err))
	}
	for i, err := range all(len(c.wakes), func(i int) error {
		_, err := r.Hub.Send(ctx, c.wakes[i].queue, c.wakes[i].Message, 0)
		return err
	}) {
		failed = cmp.Or(failed, c.wakes[i].of.failing(err))
	}
	for i, t := range due {
		if gone[i] {
			delete(r.tracked, t.row.ID)
		}
	}
	return failed
}

// failing notes an error, where there is one, and names the instance in it.
func (t *tracked) failing(err error) error {
	if err == nil {
		return nil
	}
	t.next = time.Now().Add(every)
	return fmt.Errorf("instance %q: %w", t.row.ID, err)
}

// all does n things, some at the same time, and returns the error of each.
func all(n int, do func(i int) error) []error {
	errs := make([]error, n)
	gate := make(chan struct{}, atOnce)
	var group sync.WaitGroup
	for i := range n {
		gate <- struct{}{}
		group.Go(func() {
			defer func() { <-gate }()
			errs[i] = do(i)
		})
	}
	group.Wait()
	return errs
}
