package azure

import (
	"context"

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
	w := &writer{hub: h, commit: c, partition: taskhub.EscapeKey(c.InstanceID), rows: len(c.Events)}
	w.put = w.event
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
	// rows is how many rows there are to write; put adds the one whose turn it
	// is to a transaction.
	rows int
	put  func(b *storage.Batch, next *sentinel) error
	// fence is what the last transaction left; done is how many rows are
	// written.
	fence taskhub.Fence
	done  int
	// old are the rows of the generation that the commit replaces.
	old [2]uint64
	// apart says that old rows are deleted after the commit.
	apart bool
	// large are the payloads of the transaction that are kept in blobs.
	large []largePayload
	// over says that rows are written over others: there are some where there
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
	w.apart = int(w.old[1]-w.old[0])+len(c.Events) > maxRows
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
	w.large = nil
	for next.step < w.rows && b.Operations() < maxRows && b.Size() < maxBytes {
		if err := w.put(b, next); err != nil {
			return nil, nil, err
		}
		next.step++
	}
	next.fence.Number++
	next.fence.Apart = next.fence.Apart || len(w.large) > 0
	if next.step == w.rows {
		next.fence.Spilled = c.Spilled
	}
	raw, err := next.entity(w.partition, c.Time, next.step == w.rows)
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

// keepApart decides whether a text of a row goes into a blob of its own.
func (w *writer) keepApart(row string, e *history.Event, column string, text history.Payload) (blob string) {
	if history.FitsColumn(text) {
		return ""
	}
	blob = historyBlob(w.commit.InstanceID, row, e.Type.String(), column, w.commit.Nonce)
	w.large = append(w.large, largePayload{blob, text})
	return blob
}

// event appends the next event.
func (w *writer) event(b *storage.Batch, next *sentinel) error {
	h, c := w.hub, w.commit
	row := taskhub.RowKey(next.fence.NextRow)
	e := c.Events[next.step]
	raw := history.AppendRowApart(nil, w.partition, row, c.ExecutionID, e, h.options.StoreInputs, func(column string, text history.Payload) string {
		return w.keepApart(row, e, column, text)
	})
	if w.over {
		b.Upsert(h.account, w.partition, row, raw)
	} else {
		b.Insert(h.account, raw)
	}
	next.fence.NextRow++
	return nil
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
		return w.overwrite(cause)
	case stored == nil:
		return taskhub.ErrGone
	case stored.nonce == c.Nonce:
		w.fence, w.done = stored.fence, stored.step
		return nil
	case stored.fence.ETag == w.fence.ETag:
		if missing(cause) && !w.apart {
			// An old row is gone already: the rest is deleted afterwards.
			w.apart = true
			return nil
		}
		return w.overwrite(cause)
	case stored.fence.ExecutionID != c.Fence.ExecutionID && w.fence.ETag != "" && !c.NewExecution:
		return taskhub.ErrGone
	default:
		return taskhub.ErrConflict
	}
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
