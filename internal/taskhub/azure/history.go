package azure

import (
	"context"
	"errors"
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/taskhub"
)

// Bounds of one transaction: 99 rows and the sentinel, and bytes well below the
// service's limit.
const (
	maxRows  = storage.MaxOperations - 1
	maxBytes = 3 << 20
)

// Commit appends events in as many transactions as they need. Each carries the
// sentinel with If-Match, so each is fenced.
func (h *Hub) Commit(ctx context.Context, c *taskhub.Commit) (taskhub.Fence, error) {
	units, err := c.Units()
	if err != nil {
		return taskhub.Fence{}, failed(err, "committing %d events of instance %q", len(c.Events), c.InstanceID)
	}
	w := &writer{hub: h, commit: c, partition: taskhub.EscapeKey(c.InstanceID), rows: len(units), units: units, state: c.StateAfter}
	w.put = w.unit
	w.begin()
	if err := w.write(ctx); err != nil {
		return taskhub.Fence{}, failed(err, "committing %d events of instance %q", len(c.Events), c.InstanceID)
	}
	if w.apart && w.old[0] < w.old[1] {
		h.deleteOld(ctx, c.InstanceID, c.Fence.ExecutionID, w.old[0], w.old[1])
	}
	return w.fence, nil
}

// writer is one commit on its way.
type writer struct {
	hub       *Hub
	commit    *taskhub.Commit
	partition string
	// rows is how many units there are to write; put adds the one whose turn it
	// is to a transaction. Of a rewind each is one row, and units is nil.
	rows  int
	units []taskhub.Unit
	put   func(b *storage.Batch, next *sentinel) error
	// state is what a transaction leaves.
	state func(last bool) taskhub.State
	// fence is what the last transaction left; done is how many units are
	// written.
	fence taskhub.Fence
	done  int
	// old are the rows of the generation that the commit replaces.
	old [2]uint64
	// apart means that old rows are deleted after the commit.
	apart bool
	// large are the payloads of the transaction that are kept in blobs.
	large []largePayload
	// takes are the places of the transaction's operations that take inbox rows.
	takes []int
	// over means that rows are written over others: there are some where there
	// should be none. Otherwise they are inserted, which costs the service half.
	over bool
}

func (w *writer) begin() {
	c := w.commit
	w.fence = c.Fence
	if w.fence.ETag == "" {
		w.fence.FirstRow = taskhub.FirstRow(c.InstanceID, c.ExecutionID)
		w.fence.NextRow = w.fence.FirstRow
	} else if c.NewExecution {
		w.old = [2]uint64{w.fence.FirstRow, w.fence.NextRow}
		w.fence.FirstRow = w.fence.NextRow
	}
	w.fence.ExecutionID = c.ExecutionID
	w.apart = int(w.old[1]-w.old[0])+len(c.Events)+len(c.Takes)+len(c.Answers) > maxRows
}

// write writes all transactions.
func (w *writer) write(ctx context.Context) error {
	for first := true; first || w.done < w.rows; first = false {
		if err := w.step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// step writes the next transaction and finds out what became of it.
func (w *writer) step(ctx context.Context) error {
	batch, next, err := w.batch()
	if err != nil {
		return err
	}
	if len(w.large) > 0 {
		if err := w.hub.writeAllLarge(ctx, w.large); err != nil {
			return err
		}
	}
	etags, err := w.hub.account.Submit(ctx, batch)
	if err == nil {
		next.fence.ETag = etags[len(etags)-1]
		w.fence, w.done = next.fence, next.step
		return nil
	}
	return w.resolve(ctx, err)
}

// batch builds the transaction of the rows from w.done on.
func (w *writer) batch() (*storage.Batch, *sentinel, error) {
	h, c := w.hub, w.commit
	b := storage.NewBatch(taskhub.HistoryTable(h.name))
	if w.done == 0 && !w.apart {
		for n := w.old[0]; n < w.old[1]; n++ {
			b.Delete(h.account, w.partition, taskhub.RowKey(n), string(azcore.ETagAny))
		}
	}
	next := &sentinel{fence: w.fence, nonce: c.Nonce, step: w.done}
	w.large, w.takes = nil, nil
	for next.step < w.rows && b.Operations()+w.operations(next.step) <= maxRows && b.Size() < maxBytes {
		if err := w.put(b, next); err != nil {
			return nil, nil, err
		}
		next.step++
	}
	next.fence.Number++
	next.fence.Apart = next.fence.Apart || len(w.large) > 0
	last := next.step == w.rows
	next.fence.State = w.state(last)
	if last {
		next.fence.Spilled = c.Spilled
	}
	raw, err := next.entity(w.partition, c.Time, last, c.Fence.State)
	if err != nil {
		return nil, nil, err
	}
	if w.fence.ETag == "" {
		b.Insert(h.account, raw)
	} else {
		b.Merge(h.account, w.partition, sentinelRow, w.fence.ETag, raw)
	}
	return b, next, nil
}

// operations is how many the unit at the place needs.
func (w *writer) operations(place int) int {
	if w.units == nil {
		return 1
	}
	return w.units[place].Operations()
}

// keepApart decides whether a text of a row goes into a blob of its own. A text
// that an inbox row keeps apart stays in the blob that it has.
func (w *writer) keepApart(row string, e *history.Event, column string, text history.Payload, takes []string) (blob string) {
	if history.FitsColumn(text) {
		return ""
	}
	for _, key := range takes {
		if name, ok := taskhub.LargeOf(key, text); ok {
			return inboxBlob(w.commit.InstanceID, name, column)
		}
	}
	blob = historyBlob(w.commit.InstanceID, row, e.Type.String(), column, w.commit.Nonce)
	w.large = append(w.large, largePayload{blob, text})
	return blob
}

// unit appends the next event, and takes the rows out that leave with it.
func (w *writer) unit(b *storage.Batch, next *sentinel) error {
	u := w.units[next.step]
	for _, key := range u.Takes {
		w.takes = append(w.takes, b.Operations())
		b.Delete(w.hub.account, w.partition, key, string(azcore.ETagAny))
		if _, apart := taskhub.LargeName(key); apart {
			// The payload of a row that is dropped is one for Sweep.
			next.fence.Apart = true
		}
	}
	if u.Event >= 0 {
		w.event(b, next, w.commit.Events[u.Event], u.Takes)
	}
	w.answerAll(b, next, u.Answers)
	return nil
}

// event appends an event.
func (w *writer) event(b *storage.Batch, next *sentinel, e *history.Event, takes []string) {
	h, c := w.hub, w.commit
	row := taskhub.RowKey(next.fence.NextRow)
	raw := history.AppendRowApart(nil, w.partition, row, c.ExecutionID, e, h.options.StoreInputs, func(column string, text history.Payload) string {
		return w.keepApart(row, e, column, text, takes)
	})
	if w.over {
		b.Upsert(h.account, w.partition, row, raw)
	} else {
		b.Insert(h.account, raw)
	}
	next.fence.NextRow++
}

// resolve finds out, from the sentinel, whether a transaction that failed was
// applied after all, and if not, why.
func (w *writer) resolve(ctx context.Context, cause error) error {
	c := w.commit
	stored, err := w.hub.readSentinel(ctx, c.InstanceID)
	switch {
	case err != nil:
		return err
	case stored == nil && w.fence.ETag == "":
		return w.refused(cause)
	case stored == nil:
		return taskhub.ErrGone
	case stored.nonce == c.Nonce:
		w.fence, w.done = stored.fence, stored.step
		return nil
	case stored.fence.ETag == w.fence.ETag:
		return w.refused(cause)
	case stored.fence.ExecutionID != c.Fence.ExecutionID && w.fence.ETag != "" && !c.NewExecution:
		return taskhub.ErrGone
	default:
		return taskhub.ErrConflict
	}
}

// refused finds out why a transaction was refused whose fence still holds. nil
// when it can be tried again in another way.
func (w *writer) refused(cause error) error {
	if !missing(cause) {
		return w.overwrite(cause)
	}
	place := -1
	var batch *storage.BatchError
	if errors.As(cause, &batch) {
		place = batch.Index
	}
	switch {
	case slices.Contains(w.takes, place):
		return taskhub.ErrTaken
	case !w.apart:
		// An old row is gone already: the rest is deleted afterwards.
		w.apart = true
		return nil
	case place < 0 && len(w.takes) > 0:
		return taskhub.ErrTaken
	}
	return cause
}

// overwrite lets the transaction be tried again over rows that a purge has left,
// or returns why it failed.
func (w *writer) overwrite(cause error) error {
	if w.over || !exists(cause) {
		return cause
	}
	w.over = true
	return nil
}
