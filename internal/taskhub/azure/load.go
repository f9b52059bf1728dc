package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// maxLoads is how many times a history is read that is changed while it is read.
const maxLoads = 4

// errTorn is the error of rows that were read before and after a change.
var errTorn = errors.New("the history was changed while it was read")

// Load reads the rows of the current generation and the sentinel in one query,
// and then the payloads that are kept apart. A query of one page is a snapshot;
// one of several pages is not, so what came of it is checked: see torn.
func (h *Hub) Load(ctx context.Context, id string, from uint64) (*taskhub.History, error) {
	var before taskhub.Fence
	for try := 1; ; try++ {
		loaded, pages, err := h.load(ctx, id, from)
		if err == nil && torn(loaded.Fence, before, pages) {
			before, err = loaded.Fence, errTorn
		}
		switch {
		case err == nil:
			return loaded, nil
		case errors.Is(err, errTorn) && try < maxLoads:
		case try == 1 && (errors.Is(err, taskhub.ErrPayloadGone) || errors.Is(err, taskhub.ErrUnreadable)):
			// It was replaced meanwhile, or it is damaged, and is so the next time too.
		default:
			return nil, failed(err, "loading the history of instance %q", id)
		}
	}
}

// torn reports whether rows of several pages may be of different times. The
// sentinel is in the last page. Commits only add rows that come after those of
// earlier pages, but a rewind changes any row; so a history that was rewound
// must be read twice with the same sentinel.
func torn(fence, before taskhub.Fence, pages int) bool {
	return pages > 1 && fence.Rewinds > 0 && fence.ETag != before.ETag
}

// load returns what one query gives, and how many pages with rows that had.
func (h *Hub) load(ctx context.Context, id string, from uint64) (loaded *taskhub.History, pages int, err error) {
	// The inbox is behind the sentinel.
	filter := inPartition(id) + " and RowKey le '" + sentinelRow + "'"
	if from > 0 {
		filter += " and RowKey ge '" + taskhub.RowKey(from) + "'"
	}
	rows, pages, err := h.readRows(ctx, filter, aztables.MetadataFormatFull)
	if err != nil {
		return nil, 0, err
	}
	loaded, err = h.assemble(ctx, rows, from)
	return loaded, pages, err
}

// readRows reads all rows of the History table that a filter lets pass. pages is how many
// pages had some.
func (h *Hub) readRows(ctx context.Context, filter string, format aztables.MetadataFormat) (rows [][]byte, pages int, err error) {
	pager := h.history.NewListEntitiesPager(&aztables.ListEntitiesOptions{Filter: &filter, Format: &format})
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, 0, err
		}
		if len(page.Entities) > 0 {
			pages++
		}
		rows = append(rows, page.Entities...)
	}
	return rows, pages, nil
}

// assemble takes the rows that the sentinel speaks of: of its execution, from
// the first of the generation to the next to be written. Pages may have been
// read before and after a commit.
func (h *Hub) assemble(ctx context.Context, rows [][]byte, from uint64) (*taskhub.History, error) {
	if len(rows) == 0 {
		return &taskhub.History{}, nil
	}
	last := rows[len(rows)-1]
	var key struct{ RowKey string }
	if err := json.Unmarshal(last, &key); err != nil {
		return nil, fmt.Errorf("%w: %w", taskhub.ErrUnreadable, err)
	}
	if key.RowKey != sentinelRow {
		return &taskhub.History{Headless: true}, nil
	}
	s, err := decodeSentinel(last, "")
	if err != nil {
		return nil, err
	}
	out := &taskhub.History{Fence: s.fence}
	return out, h.take(ctx, out, rows[:len(rows)-1], min(max(s.fence.FirstRow, from), s.fence.NextRow), s.fence.NextRow)
}

// take adds the events of the rows from first to before next. Rows of others are
// passed over; where one is missing, that is an error.
func (h *Hub) take(ctx context.Context, out *taskhub.History, rows [][]byte, from, to uint64) error {
	first, next := taskhub.RowKey(from), taskhub.RowKey(to)
	var large largeRows
	var taken []history.Row
	for _, raw := range rows {
		e, at, err := history.DecodeRow(raw)
		if err != nil {
			return err
		}
		if at.RowKey < first || at.RowKey >= next || at.ExecutionID != out.Fence.ExecutionID {
			continue
		}
		if err := large.add(raw, len(out.Events)); err != nil {
			return err
		}
		out.Events, taken = append(out.Events, e), append(taken, at)
	}
	if err := history.CheckSequence(from, to, taken); err != nil {
		return err
	}
	return h.fetchRows(ctx, &large, out.Events)
}

// largeRows are the rows of which texts are kept apart, with the places of
// their events.
type largeRows struct {
	raws   [][]byte
	blobs  []map[string]string
	events []int
}

func (l *largeRows) add(raw []byte, event int) error {
	blobs, err := history.RowBlobs(raw)
	if blobs != nil {
		l.raws, l.blobs, l.events = append(l.raws, raw), append(l.blobs, blobs), append(l.events, event)
	}
	return err
}

// fetchRows reads the texts and decodes the rows with them.
func (h *Hub) fetchRows(ctx context.Context, l *largeRows, events []*history.Event) error {
	texts, err := h.fetchTexts(ctx, l.blobs)
	if err != nil {
		return err
	}
	for i, raw := range l.raws {
		if events[l.events[i]], _, err = history.DecodeRowApart(raw, texts[i]); err != nil {
			return err
		}
	}
	return nil
}

// inPartition is the filter for the rows of an instance.
func inPartition(id string) string {
	return "PartitionKey eq '" + quote(taskhub.EscapeKey(id)) + "'"
}

func quote(s string) string {
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		if s[i] == '\'' {
			out = append(out, '\'')
		}
		out = append(out, s[i])
	}
	return string(out)
}
