package taskhub

import (
	"cmp"
	"slices"
	"time"
)

// Unread is the place at which reading an inbox has stopped: rows behind these
// keys were not read. An empty key: all of that part was.
type Unread struct {
	// Main is the last key that was read of the control rows and the rest, Due
	// that of the rows whose due time is over.
	Main, Due string
}

// Arrange makes the answer of a look out of the rows that were read, whose
// order does not matter. Rows before which an unread one may belong are left
// out, so the answer may be empty though there are rows: then read on. Stores
// call it.
func Arrange(rows []*InboxRow, unread Unread, o LookOptions) *Inbox {
	in := &Inbox{Waiting: len(rows), More: unread != Unread{}}
	placed := make([]place, 0, len(rows))
	for _, r := range rows {
		p := placeOf(r)
		switch {
		case p.kind == keyScheduled && p.due.After(o.Now):
			if in.NextDue.IsZero() || p.due.Before(in.NextDue) {
				in.NextDue = p.due
			}
		case o.ControlOnly && p.kind != keyControl:
		case !unread.precedes(p):
			placed = append(placed, p)
		default:
			in.More = true
		}
	}
	slices.SortFunc(placed, place.compare)
	if len(placed) > o.Limit() {
		placed, in.More = placed[:o.Limit()], true
	}
	if in.More {
		in.NextDue = time.Time{}
	}
	for _, p := range placed {
		in.Rows = append(in.Rows, p.row)
	}
	return in
}

// First returns the first rows in the order of a look, at most so many, and leaves
// out the others. Rows whose time has not come are the last ones. Stores that read a
// long inbox call it, so as not to keep all of it.
func First(rows []*InboxRow, most int, now time.Time) []*InboxRow {
	places := make([]place, len(rows))
	for i, r := range rows {
		places[i] = placeOf(r)
	}
	slices.SortFunc(places, func(p, q place) int {
		return cmp.Or(cmp.Compare(boolInt(p.due.After(now)), boolInt(q.due.After(now))), p.compare(q))
	})
	first := make([]*InboxRow, min(most, len(rows)))
	for i := range first {
		first[i] = places[i].row
	}
	return first
}

// place is where a row belongs in the order.
type place struct {
	row  *InboxRow
	kind byte
	due  time.Time
	// at is when the row could first be taken in, to the millisecond.
	at time.Time
}

// placeOf reads the place from the key, which a row that does not decode has,
// too.
func placeOf(r *InboxRow) place {
	p := place{row: r, kind: keyRest, at: r.Stored}
	if k, err := parseKey(r.Key); err == nil {
		p.kind, p.due = k.kind, k.due
	}
	if p.due.After(p.at) {
		p.at = p.due
	}
	p.at = p.at.Truncate(time.Millisecond)
	return p
}

func (p place) compare(q place) int {
	return cmp.Or(
		cmp.Compare(boolInt(q.kind == keyControl), boolInt(p.kind == keyControl)),
		p.at.Compare(q.at),
		cmp.Compare(p.row.Key, q.row.Key),
	)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// precedes reports whether a row that was not read may belong before p.
func (u Unread) precedes(p place) bool {
	if k, err := parseKey(u.Main); err == nil {
		// Keys grow with the time of sending, so an unread row of the kind was
		// sent later, and stored no more than the skew before that.
		soonest := k.sent.Add(-ClockSkew).Truncate(time.Millisecond)
		switch {
		case p.kind == keyControl && k.kind != keyControl:
			// All control rows were read.
			return false
		case k.kind == keyControl && p.kind != keyControl, !p.at.Before(soonest):
			return true
		}
	}
	if k, err := parseKey(u.Due); err == nil && p.kind != keyControl {
		// An unread row is due later, and its key is greater than all others.
		return p.at.After(k.due.Truncate(time.Millisecond))
	}
	return false
}
