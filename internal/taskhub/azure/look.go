package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// Look reads the inbox: one page when that is all. Otherwise keys alone do not
// say what comes first, and it reads on until it knows.
func (h *Hub) Look(ctx context.Context, id string, o taskhub.LookOptions) (*taskhub.Inbox, error) {
	if o.Now.IsZero() {
		o.Now = h.options.Now()
	}
	r := &reading{hub: h, id: id, options: o, raws: map[string][]byte{}}
	in, err := r.read(ctx)
	if err == nil {
		err = r.open(ctx, in)
	}
	if err != nil {
		return nil, failed(err, "looking into the inbox of instance %q", id)
	}
	return in, nil
}

// reading is a look on its way.
type reading struct {
	hub     *Hub
	id      string
	options taskhub.LookOptions
	rows    []*taskhub.InboxRow
	// raws has the rows as the service sent them, by their keys; size is how many bytes
	// they are.
	raws map[string][]byte
	size int
	// seen is how many rows were read, those included that were left out again.
	seen int
	// main has the control rows and the rest, due the rows whose time has come.
	main, due part
}

// part is a range of keys that is read page by page.
type part struct {
	pager *runtime.Pager[aztables.ListEntitiesResponse]
	// last is the key of the last row that was read.
	last string
}

func (p *part) more() bool { return p.pager != nil && p.pager.More() }

// unread is the key after which rows are left; empty when none are.
func (p *part) unread() string {
	if !p.more() {
		return ""
	}
	return p.last
}

// minPage keeps looks that want few rows from reading page after page. maxPage is the
// most rows that the service sends at once.
const minPage, maxPage = 100, 1000

// fewPages is how many pages are read for whatever number of rows: of a longer inbox
// a look returns half of what it has read at least, unless that is more than its limit.
const fewPages = 4

func (r *reading) read(ctx context.Context) (*taskhub.Inbox, error) {
	to := taskhub.InboxTo
	if r.options.ControlOnly {
		to = taskhub.RestFrom
	}
	r.main = r.part("ge", taskhub.InboxFrom, to, min(max(r.options.Limit(), minPage), maxPage))
	if err := r.next(ctx, &r.main); err != nil {
		return nil, err
	}
	if err := r.split(ctx); err != nil {
		return nil, err
	}
	for {
		if in := r.arrange(); in != nil {
			return in, nil
		}
		next := &r.main
		if !r.main.more() {
			next = &r.due
		}
		if err := r.next(ctx, next); err != nil {
			return nil, err
		}
	}
}

// arrange makes the answer of what was read; nil when it is worth to read on.
func (r *reading) arrange() *taskhub.Inbox {
	in := taskhub.Arrange(r.rows, taskhub.Unread{Main: r.main.unread(), Due: r.due.unread()}, r.options)
	if r.seen > len(r.rows) {
		in.More, in.NextDue, in.Waiting = true, time.Time{}, r.seen
	}
	switch n := len(in.Rows); {
	case !r.main.more() && !r.due.more():
	case n == 0:
		return nil
	case r.seen <= fewPages*maxPage, in.Rows[0].Control(), n >= r.options.Limit(), 2*n >= r.seen:
	default:
		return nil
	}
	return in
}

// trim leaves out what comes behind all that the look can return, so that a long inbox
// does not fill the memory.
func (r *reading) trim() {
	most := r.options.Limit()
	if len(r.rows) <= 2*most && r.size <= 2*taskhub.MaxLookBytes {
		return
	}
	first := taskhub.First(r.rows, most, r.options.Now)
	raws, size := make(map[string][]byte, len(first)), 0
	for i, row := range first {
		if size > taskhub.MaxLookBytes {
			first = first[:i]
			break
		}
		raws[row.Key] = r.raws[row.Key]
		size += len(r.raws[row.Key])
	}
	r.rows, r.raws, r.size = first, raws, size
}

// split goes on behind the first page: rows whose time has come are read apart
// from those that have no due time, and those whose time has not come not at all.
func (r *reading) split(ctx context.Context) error {
	if !r.main.more() || r.options.ControlOnly {
		return nil
	}
	from, to := taskhub.DueBounds(r.options.Now)
	switch last := r.main.last; {
	case last >= to:
		r.main.pager = nil
		return nil
	case last >= from:
		r.main.pager = nil
		r.due = r.part("gt", last, to, maxPage)
		r.due.last = last
		return nil
	default:
		r.main = r.part("gt", last, from, maxPage)
		r.main.last = last
		r.due = r.part("ge", from, to, maxPage)
		return r.next(ctx, &r.due)
	}
}

func (r *reading) part(operator, from, end string, top int) part {
	filter := inPartition(r.id) + " and RowKey " + operator + " '" + from + "' and RowKey lt '" + end + "'"
	return part{pager: r.hub.history.NewListEntitiesPager(&aztables.ListEntitiesOptions{
		Filter: &filter, Top: to.Ptr(int32(top)), Format: to.Ptr(aztables.MetadataFormatNone),
	})}
}

// next reads the part's next rows. Pages of the service may be empty.
func (r *reading) next(ctx context.Context, p *part) error {
	for before := r.seen; p.more() && r.seen == before; {
		page, err := p.pager.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, raw := range page.Entities {
			var row struct {
				RowKey    string
				Timestamp time.Time
			}
			if err := json.Unmarshal(raw, &row); err != nil {
				return fmt.Errorf("decoding an inbox row: %w", err)
			}
			p.last = row.RowKey
			r.raws[row.RowKey] = raw
			r.seen, r.size = r.seen+1, r.size+len(raw)
			r.rows = append(r.rows, &taskhub.InboxRow{Key: row.RowKey, Stored: row.Timestamp.UTC()})
		}
	}
	r.trim()
	return nil
}

// open decodes the rows and reads the payloads that are kept apart, until it has read
// so much that the rest must wait: as many at the same time as fit what is left, by
// the largest so far.
func (r *reading) open(ctx context.Context, in *taskhub.Inbox) error {
	size, largest := 0, taskhub.MaxLookBytes/4
	for at := 0; at < len(in.Rows); {
		if size >= taskhub.MaxLookBytes {
			in.Cut(at)
			return nil
		}
		end, err := r.openSome(ctx, in.Rows, at, max((taskhub.MaxLookBytes-size)/max(largest, 1), 1))
		if err != nil {
			return err
		}
		if at == 0 {
			largest = 0
		}
		for _, row := range in.Rows[at:end] {
			n := row.Size()
			size, largest = size+n, max(largest, n)
		}
		at = end
	}
	return nil
}

// openSome decodes rows from a place on, at most so many that have payloads apart,
// and returns the place behind the last.
func (r *reading) openSome(ctx context.Context, rows []*taskhub.InboxRow, at, most int) (end int, err error) {
	var large []int
	for end = at; end < len(rows); end++ {
		raw := r.raws[rows[end].Key]
		if blobs, err := history.RowBlobs(raw); err != nil || blobs == nil {
			rows[end] = taskhub.DecodeInboxRow(raw, nil)
			continue
		}
		if len(large) == min(most, largeAtOnce) {
			break
		}
		large = append(large, end)
	}
	return end, eachLarge(len(large), func(i int) error { return r.openLarge(ctx, rows, large[i]) })
}

func (r *reading) openLarge(ctx context.Context, rows []*taskhub.InboxRow, at int) error {
	raw := r.raws[rows[at].Key]
	blobs, err := history.RowBlobs(raw)
	if err != nil {
		return err
	}
	texts, err := r.hub.fetchTexts(ctx, []map[string]string{blobs})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	rows[at] = taskhub.DecodeInboxRow(raw, texts[0])
	switch {
	case err == nil:
	case errors.Is(err, taskhub.ErrPayloadGone), errors.Is(err, taskhub.ErrTooLarge):
		rows[at].Err = err
	default:
		rows[at].Err = fmt.Errorf("%w: %w", taskhub.ErrUnread, err)
	}
	return nil
}
