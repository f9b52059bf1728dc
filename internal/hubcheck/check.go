package hubcheck

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/reconcile"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
)

// Options say how a hub is checked.
type Options struct {
	// Repair mends what can be mended.
	Repair bool
	// Age is how old something must be that may only be on its way. Default 2 minutes.
	Age time.Duration
	// Now is the time. Default time.Now.
	Now func() time.Time
	// Pause waits between the two looks. Default: until d has passed or ctx ends.
	Pause func(ctx context.Context, d time.Duration)
}

const (
	// blobAge is how old a blob must be that nothing names: it is written first.
	blobAge = time.Hour
	// hostHides is how long the Functions host may hide a message, and a while.
	hostHides = 12 * time.Minute
)

// Run checks a hub.
func Run(ctx context.Context, name string, hub *azure.Hub, o Options) (*Report, error) {
	if o.Age == 0 {
		o.Age = 2 * time.Minute
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Pause == nil {
		o.Pause = func(ctx context.Context, d time.Duration) {
			select {
			case <-time.After(d):
			case <-ctx.Done():
			}
		}
	}
	c := &checker{Options: o, name: name, hub: hub, report: &Report{Hub: name, Findings: []Finding{}}, blobs: map[string]map[string]azure.RawBlob{}}
	if err := c.run(ctx); err != nil {
		return nil, fmt.Errorf("checking task hub %q: %w", name, err)
	}
	return c.report, nil
}

// checker is one check on its way.
type checker struct {
	Options
	name   string
	hub    *azure.Hub
	report *Report
	notes  reconcile.Notes
	// blobs are those of large payloads, by folder and name.
	blobs map[string]map[string]azure.RawBlob
	// suspects are the partitions with findings.
	suspects []string
}

func (c *checker) run(ctx context.Context) error {
	if missing, err := c.checkParts(ctx); missing || err != nil {
		return err
	}
	var err error
	if c.notes, err = reconcile.ReadNotes(ctx, c.hub); err != nil {
		return err
	}
	for b, err := range c.hub.RawBlobs(ctx) {
		if err != nil {
			return err
		}
		folder, _, _ := cutFolder(b.Name)
		if c.blobs[folder] == nil {
			c.blobs[folder] = map[string]azure.RawBlob{}
		}
		c.blobs[folder][b.Name] = b
	}
	if err := c.scan(ctx); err != nil {
		return err
	}
	if err := c.again(ctx); err != nil {
		return err
	}
	if err := c.orphanBlobs(ctx); err != nil {
		return err
	}
	return c.checkQueues(ctx)
}

// add adds a finding, after its repair where that is wanted.
func (c *checker) add(ctx context.Context, f Finding) {
	if c.Repair && f.repair != nil {
		if err := f.repair.apply(ctx, c.hub); err != nil {
			f.Failed = err.Error()
		} else {
			f.Repaired = true
		}
	}
	c.report.Findings = append(c.report.Findings, f)
}

// scan reads both tables side by side, in the order of their keys, and notes the
// partitions with findings.
func (c *checker) scan(ctx context.Context) error { //nolint:gocognit // a case for each kind of row
	next, stop := iter.Pull2(c.hub.RawInstances(ctx))
	defer stop()
	row, err, more := next()
	var s *stored
	finish := func() {
		if s == nil {
			return
		}
		if found := c.look(ctx, s, func(string) bool { return false }); len(found) > 0 {
			c.suspects = append(c.suspects, s.partition)
		}
		c.forgetFolder(s)
		s = nil
	}
	// begin makes the partition current, and those of rows before it.
	begin := func(partition string) {
		for more && err == nil && (partition == "" || row.Partition <= partition) {
			if s == nil || s.partition != row.Partition {
				finish()
				s = c.newStored(row.Partition)
			}
			s.rows = append(s.rows, row)
			row, err, more = next()
		}
		if partition != "" && (s == nil || s.partition != partition) {
			finish()
			s = c.newStored(partition)
		}
	}
	for r, err := range c.hub.RawHistories(ctx) {
		if err != nil {
			return err
		}
		if s == nil || s.partition != r.Partition {
			begin(r.Partition)
		}
		if err != nil {
			return err
		}
		s.add(r)
	}
	finish()
	begin("")
	finish()
	return err
}

func (c *checker) newStored(partition string) *stored {
	c.report.Instances++
	s := &stored{
		partition: partition, id: taskhub.UnescapeKey(partition), now: c.Now().UTC(), age: c.Age,
		queue: taskhub.ControlQueue(c.name), decode: c.hub.DecodeInstance,
	}
	s.blobs = c.blobs[azure.Folder(s.id)]
	return s
}

// forgetFolder notes that the blobs of an instance belong to one.
func (c *checker) forgetFolder(s *stored) {
	if len(s.rows) > 0 || s.sentinel != nil {
		delete(c.blobs, azure.Folder(s.id))
	}
}

// look checks one instance, and what it waits for of others.
func (c *checker) look(ctx context.Context, s *stored, working func(string) bool) []Finding {
	s.working = working(s.id)
	if s.isEntity() {
		return c.lookEntity(ctx, s)
	}
	found, children := s.check()
	for _, e := range children {
		if f, wrong := c.child(ctx, s, e); wrong {
			found = append(found, f)
		}
	}
	return found
}

// child looks at an open child.
func (c *checker) child(ctx context.Context, s *stored, e *history.Event) (Finding, bool) {
	v := &view{stored: s}
	f := Finding{Severity: Waiting, Instance: s.id, Place: "child " + e.InstanceID}
	row, err := c.hub.Instance(ctx, e.InstanceID)
	switch {
	case errors.Is(err, taskhub.ErrNotFound):
		f.Kind, f.What = "child-missing", "it waits for a child that was not started, or was purged"
		return f.with(v.heal(taskhub.Healing{Actions: []int32{e.ID}}, "send a wake-up that starts the child")), true
	case err == nil && row.Status.Finished() && s.now.Sub(row.Updated) > c.Age:
		f.Kind, f.What = "child-untold", "its child has ended, and it does not know that"
		told := taskhub.Heal(row.ID, "check owed "+row.ETag, taskhub.Healing{Owed: true}, s.now)
		return f.with(send{s.queue, told, "let the child say so again"}), true
	}
	return f, false
}

// again reads the instances with findings a second time, after a pause in which what
// is on its way arrives, and reports what is still found.
func (c *checker) again(ctx context.Context) error {
	if len(c.suspects) == 0 {
		return nil
	}
	pause := time.Second
	if c.notes.Any() {
		pause = reconcile.NotesChange
	}
	c.Pause(ctx, pause)
	notes, err := reconcile.ReadNotes(ctx, c.hub)
	if err != nil {
		return err
	}
	for _, partition := range c.suspects {
		s := c.newStored(partition)
		c.report.Instances--
		if s.blobs, err = c.folderOf(ctx, s.id); err != nil {
			return err
		}
		for r, err := range c.hub.RawInstance(ctx, partition) {
			if err != nil {
				return err
			}
			s.rows = append(s.rows, r)
		}
		for r, err := range c.hub.RawHistory(ctx, partition) {
			if err != nil {
				return err
			}
			s.add(r)
		}
		for _, f := range c.look(ctx, s, func(id string) bool { return notes.Working(id, c.notes) }) {
			c.add(ctx, f)
		}
	}
	return nil
}

// folderOf are the blobs of an instance as they are now.
func (c *checker) folderOf(ctx context.Context, id string) (map[string]azure.RawBlob, error) {
	blobs := map[string]azure.RawBlob{}
	for b, err := range c.hub.RawBlobsOf(ctx, id) {
		if err != nil {
			return nil, err
		}
		blobs[b.Name] = b
	}
	return blobs, nil
}

// orphanBlobs reports the blobs of instances that are not there.
func (c *checker) orphanBlobs(ctx context.Context) error {
	var left []azure.RawBlob
	for _, blobs := range c.blobs {
		for _, b := range blobs {
			left = append(left, b)
		}
	}
	slices.SortFunc(left, func(a, b azure.RawBlob) int { return cmp.Compare(a.Name, b.Name) })
	for _, b := range left {
		if c.Now().Sub(b.Modified) > max(blobAge, c.Age) {
			c.add(ctx, Finding{Severity: Debris, Kind: "blob-orphan", Place: "blob " + b.Name, What: "it is of an instance that is not there"}.with(deleteBlob{b}))
		}
	}
	return ctx.Err()
}
