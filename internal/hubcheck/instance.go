package hubcheck

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
)

// stored is what a hub has of one instance.
type stored struct {
	partition, id string
	now           time.Time
	// age is how old something must be that may only be on its way.
	age time.Duration
	// queue is the hub's control queue.
	queue string
	// rows are those of the Instances table with the key of the instance.
	rows []azure.RawRow
	// sentinel guards events; told and receipts are the inbox. strange are rows of the
	// History table that are none of these.
	events, told, receipts, strange []azure.RawRow
	sentinel                        *azure.RawRow
	// blobs are those in the instance's folder, by name.
	blobs map[string]azure.RawBlob
	// decode reads a row of the Instances table.
	decode func([]byte) (*taskhub.Instance, []string, error)
	// working reports whether a process says that it works on the instance.
	working bool
}

// add sorts a row of the History table.
func (s *stored) add(r azure.RawRow) {
	switch {
	case r.Row == azure.SentinelRow:
		s.sentinel = &r
	case isNumber(r.Row):
		s.events = append(s.events, r)
	case r.Row >= taskhub.InboxFrom && r.Row < taskhub.InboxTo:
		s.told = append(s.told, r)
	case r.Row >= taskhub.ReceiptsFrom && r.Row < taskhub.ReceiptsTo:
		s.receipts = append(s.receipts, r)
	default:
		s.strange = append(s.strange, r)
	}
}

func isNumber(key string) bool {
	return len(key) == 16 && !strings.ContainsFunc(key, func(r rune) bool { return (r < '0' || r > '9') && (r < 'A' || r > 'F') })
}

// view is what the rows say, as far as they can be read.
type view struct {
	*stored
	found []Finding
	// row is nil where there is none that can be read.
	row *taskhub.Instance
	// fence is that of a sentinel that can be read; guarded reports that it can.
	fence   taskhub.Fence
	guarded bool
	// history are the events that the sentinel speaks of; whole reports that they are all
	// there and can be read.
	history []*history.Event
	whole   bool
	// children are those that the instance waits for.
	children []*history.Event
	// named are the blobs that something names.
	named map[string]bool
}

// check finds what is wrong with an instance. children are those that it waits for:
// what they are like is not in its own rows.
func (s *stored) check() (found []Finding, children []*history.Event) {
	v := &view{stored: s, named: map[string]bool{}}
	if taskhub.EscapeKey(s.id) != s.partition {
		v.add(Finding{Severity: Damage, Kind: "key-invalid", Place: "PartitionKey " + s.partition, What: "no instance id has this key"}.with(deleteRows{s.everything()}))
		return v.found, nil
	}
	v.readRow()
	v.readSentinel()
	v.readEvents()
	v.checkInbox()
	v.compare()
	v.checkBlobs()
	return v.found, v.children
}

// isEntity reports whether the rows are those of an entity.
func (s *stored) isEntity() bool {
	return history.IsEntity(s.id) && taskhub.EscapeKey(s.id) == s.partition
}

func (s *stored) everything() (rows []azure.RawRow) {
	rows = slices.Concat(s.rows, s.events, s.told, s.receipts, s.strange)
	if s.sentinel != nil {
		rows = append(rows, *s.sentinel)
	}
	return rows
}

func (v *view) add(f Finding) {
	f.Instance = v.id
	v.found = append(v.found, f)
}

func (s *stored) isOld(r azure.RawRow) bool { return s.now.Sub(r.Stored) >= s.age }

// readRow reads the row of the instance.
func (v *view) readRow() {
	for _, r := range v.rows {
		if r.Row != "" {
			v.add(Finding{Severity: Debris, Kind: "row-foreign", Place: "Instances row " + r.Row, What: "the Instances table has a row with a RowKey, which no instance has"}.with(deleteRow{r}))
			continue
		}
		row, blobs, err := v.decode(r.JSON)
		if err != nil {
			f := Finding{Severity: Damage, Kind: "row-undecodable", Place: "Instances row", What: "the row cannot be read: " + err.Error()}
			v.add(f.with(v.rewrite(r)))
			continue
		}
		row.ETag = r.ETag
		v.row = row
		for _, name := range blobs {
			v.named[name] = true
			if _, there := v.blobs[name]; !there {
				v.add(Finding{Severity: Damage, Kind: "row-payload-missing", Place: "blob " + name, What: "the blob of the instance's input or output is gone; the status shows its address"})
			}
		}
		if row.Name == "" && !row.Status.Finished() {
			v.add(Finding{Severity: Damage, Kind: "row-without-name", Place: "Instances row", What: "the row names no orchestrator"}.with(failRow{row: row, reason: "The instance's row named no orchestrator."}))
		}
	}
}

// rewrite makes a row of the history, for a row that cannot be read or is missing.
func (v *view) rewrite(bad azure.RawRow) repair {
	for _, r := range v.events {
		e, at, err := history.DecodeRow(r.JSON)
		if err != nil || e.Type != history.ExecutionStarted {
			continue
		}
		row := &taskhub.Instance{
			ID: v.id, ExecutionID: at.ExecutionID, Name: e.Name, Version: e.Version, Status: history.Running, Created: e.Timestamp,
			Updated: v.now, Tags: e.Tags, Generation: e.Generation, Scheduled: e.ScheduledStart,
		}
		if e.Parent != nil {
			row.ParentInstanceID = e.Parent.Instance.InstanceID
		}
		if v.sentinel != nil {
			if f, err := azure.DecodeSentinel(v.sentinel.JSON); err == nil {
				row.Origin = f.Origins()
			}
		}
		return all{rewriteRow{bad, row}, v.heal(taskhub.Healing{Owed: true}, "")}
	}
	if bad.Table == "" {
		return deleteRows{slices.Concat(v.events, v.told, v.receipts, one(v.sentinel))}
	}
	return deleteRow{bad}
}

func one(r *azure.RawRow) []azure.RawRow {
	if r == nil {
		return nil
	}
	return []azure.RawRow{*r}
}

// heal wakes the instance.
func (v *view) heal(h taskhub.Healing, what string) repair {
	etag := ""
	if v.sentinel != nil {
		etag = v.sentinel.ETag
	}
	return send{v.queue, taskhub.Heal(v.id, fmt.Sprint("check ", etag, h), h, v.now), what}
}

// look makes a process look at the inbox.
func (v *view) look() repair {
	return send{v.queue, taskhub.Look(v.id, taskhub.NewID(), v.now), "send a wake-up"}
}

// readSentinel reads the row that guards the history.
func (v *view) readSentinel() {
	if v.sentinel == nil {
		return
	}
	f, err := azure.DecodeSentinel(v.sentinel.JSON)
	switch {
	case err == nil:
		f.ETag = v.sentinel.ETag
		v.fence, v.guarded = f, true
	case errors.Is(err, taskhub.ErrFormat):
		v.add(Finding{Severity: Note, Kind: "history-foreign", Place: "sentinel", What: "another engine, or a newer version of this module, wrote the history; it is left alone: " + err.Error()})
		v.row = nil
	default:
		f := Finding{Severity: Damage, Kind: "sentinel-undecodable", Place: "sentinel", What: "the row that guards the history cannot be read, so that no process can go on: " + err.Error()}
		if v.row != nil {
			f = f.with(failRow{v.row, "The row that guarded the instance's history could not be read.", v.sentinel})
		} else {
			f = f.with(deleteRow{*v.sentinel})
		}
		v.add(f)
		v.row = nil
	}
}

// readEvents reads the history.
func (v *view) readEvents() { //nolint:gocognit // a case for each kind of damage
	if v.sentinel != nil && !v.guarded {
		return
	}
	if !v.guarded {
		v.headless()
		return
	}
	first, next := taskhub.RowKey(v.fence.FirstRow), taskhub.RowKey(v.fence.NextRow)
	var taken []history.Row
	var before, behind []azure.RawRow
	v.whole = true
	for _, r := range v.events {
		if blobs, err := history.RowBlobs(r.JSON); err == nil {
			for _, name := range blobs {
				v.named[name] = true
				if _, there := v.blobs[name]; !there && r.Row >= first && r.Row < next {
					v.whole = false
					v.unreadable("history-payload-missing", r.Row, "its blob "+name+" is gone")
				}
			}
		}
		switch {
		case r.Row < first:
			before = append(before, r)
			continue
		case r.Row >= next:
			behind = append(behind, r)
			continue
		}
		e, at, err := history.DecodeRow(r.JSON)
		if err != nil {
			v.whole = false
			v.unreadable("history-undecodable", r.Row, err.Error())
			taken = append(taken, history.Row{RowKey: r.Row})
			continue
		}
		if at.ExecutionID != v.fence.ExecutionID {
			v.whole = false
			v.unreadable("history-execution", r.Row, "it is of execution "+at.ExecutionID+" and the sentinel of "+v.fence.ExecutionID)
		}
		taken, v.history = append(taken, at), append(v.history, e)
	}
	if err := history.CheckSequence(v.fence.FirstRow, v.fence.NextRow, taken); err != nil {
		v.whole = false
		v.unreadable("history-gap", "", err.Error())
	}
	if v.whole && len(v.history) > 0 && v.history[0].Type != history.ExecutionStarted && v.history[0].Type != history.OrchestratorStarted {
		v.whole = false
		v.unreadable("history-beginning", taken[0].RowKey, fmt.Sprintf("the history begins with %v", v.history[0].Type))
	}
	v.debris("history-old-rows", before, "rows of an earlier generation that were to be deleted")
	v.debris("history-stray-rows", behind, "rows that no commit has written")
}

// unreadable adds a finding about a history that no process can replay. Terminate
// needs no history.
func (v *view) unreadable(kind, row, what string) {
	f := Finding{Severity: Damage, Kind: kind, Place: "History row " + row, What: what}
	if row == "" {
		f.Place = "History"
	}
	if !v.fence.State.Ended {
		f.What += "; the instance cannot go on, and can be terminated and purged"
	}
	v.add(f)
}

func (v *view) debris(kind string, rows []azure.RawRow, what string) {
	rows = slices.DeleteFunc(slices.Clone(rows), func(r azure.RawRow) bool { return !v.isOld(r) })
	if len(rows) > 0 {
		v.add(Finding{Severity: Debris, Kind: kind, Place: fmt.Sprintf("History rows %s to %s", rows[0].Row, rows[len(rows)-1].Row), What: what}.with(deleteRows{rows}))
	}
}

// headless deals with events without a sentinel.
func (v *view) headless() {
	if len(v.events) == 0 || !v.isOld(v.events[len(v.events)-1]) {
		return
	}
	f := Finding{Severity: Damage, Kind: "sentinel-missing", Place: "sentinel", What: "there are rows of events, and not the row that guards them"}
	switch {
	case v.row != nil && v.row.Status.Finished():
		// A purge removes them.
	case v.row == nil, v.row.Status == history.Pending:
		f.Severity = Debris
		v.add(f.with(deleteRows{v.events}))
	default:
		v.add(f.with(failRow{row: v.row, reason: "The row that guarded the instance's history was missing."}))
		v.row = nil
	}
}
