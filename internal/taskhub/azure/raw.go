package azure

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"
	"github.com/durable-go/functions/internal/taskhub"
)

// RawRow is a row of one of the hub's tables as it is stored, for those who look for
// damage.
type RawRow struct {
	Table, Partition, Row, ETag string
	// Stored is when the service wrote it.
	Stored time.Time
	JSON   []byte
}

// RawInstances are all rows of the Instances table, in the order of their keys.
func (h *Hub) RawInstances(ctx context.Context) iter.Seq2[RawRow, error] {
	return rawRows(ctx, h.instances, taskhub.InstancesTable(h.name), "")
}

// RawHistories are all rows of the History table, in the order of their keys.
func (h *Hub) RawHistories(ctx context.Context) iter.Seq2[RawRow, error] {
	return rawRows(ctx, h.history, taskhub.HistoryTable(h.name), "")
}

// RawInstance is the row of an instance, with a key as it is stored.
func (h *Hub) RawInstance(ctx context.Context, partition string) iter.Seq2[RawRow, error] {
	return rawRows(ctx, h.instances, taskhub.InstancesTable(h.name), "PartitionKey eq '"+quote(partition)+"'")
}

// RawHistory is what the History table has of an instance.
func (h *Hub) RawHistory(ctx context.Context, partition string) iter.Seq2[RawRow, error] {
	return rawRows(ctx, h.history, taskhub.HistoryTable(h.name), "PartitionKey eq '"+quote(partition)+"'")
}

func rawRows(ctx context.Context, table *aztables.Client, name, filter string) iter.Seq2[RawRow, error] {
	return func(yield func(RawRow, error) bool) {
		options := &aztables.ListEntitiesOptions{Format: to.Ptr(aztables.MetadataFormatFull)}
		if filter != "" {
			options.Filter = &filter
		}
		for pager := table.NewListEntitiesPager(options); pager.More(); {
			page, err := pager.NextPage(ctx)
			if err != nil {
				yield(RawRow{}, failed(err, "reading table %s", name))
				return
			}
			for _, raw := range page.Entities {
				r, err := rawRow(name, raw)
				if !yield(r, err) || err != nil {
					return
				}
			}
		}
	}
}

func rawRow(table string, raw []byte) (RawRow, error) {
	var key struct {
		PartitionKey, RowKey, Timestamp string
		ETag                            string `json:"odata.etag"`
	}
	if err := json.Unmarshal(raw, &key); err != nil {
		return RawRow{}, fmt.Errorf("reading table %s: %w", table, err)
	}
	r := RawRow{Table: table, Partition: key.PartitionKey, Row: key.RowKey, ETag: etagOf(key.ETag, key.Timestamp), JSON: raw}
	r.Stored, _ = time.Parse(time.RFC3339Nano, key.Timestamp) // the service writes it
	return r, nil
}

// DeleteRaw deletes a row if it is as it was read. taskhub.ErrChanged where it is not;
// one that is gone is no error.
func (h *Hub) DeleteRaw(ctx context.Context, r RawRow) error {
	table := h.history
	if r.Table == taskhub.InstancesTable(h.name) {
		table = h.instances
	}
	_, err := table.DeleteEntity(ctx, r.Partition, r.Row, &aztables.DeleteEntityOptions{IfMatch: to.Ptr(azcore.ETag(r.ETag))})
	switch {
	case differs(err):
		return taskhub.ErrChanged
	case err != nil && !missing(err):
		return failed(err, "deleting a row of table %s", r.Table)
	}
	return nil
}

// DecodeInstance reads a row of the Instances table. blobs are those that it names.
func (h *Hub) DecodeInstance(raw []byte) (row *taskhub.Instance, blobs []string, err error) {
	stored, err := h.decodeRow(raw)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range stored.blobs {
		if name != "" {
			blobs = append(blobs, name)
		}
	}
	return stored.Instance, blobs, nil
}

// DecodeSentinel reads the row that guards a history. ErrFormat, ErrUnreadable.
func DecodeSentinel(raw []byte) (taskhub.Fence, error) {
	s, err := decodeSentinel(raw, "")
	if err != nil {
		return taskhub.Fence{}, err
	}
	return s.fence, nil
}

// SentinelRow is the key of the row that guards a history.
const SentinelRow = sentinelRow

// RawBlob is a blob of a large payload.
type RawBlob struct {
	Name     string
	Size     int64
	Modified time.Time
	etag     *azcore.ETag
}

// RawBlobs are the blobs of all large payloads, in the order of their names. A hub
// without such a container has none.
func (h *Hub) RawBlobs(ctx context.Context) iter.Seq2[RawBlob, error] { return h.rawBlobs(ctx, nil) }

// RawBlobsOf are those of an instance.
func (h *Hub) RawBlobsOf(ctx context.Context, id string) iter.Seq2[RawBlob, error] {
	return h.rawBlobs(ctx, to.Ptr(folder(id)))
}

func (h *Hub) rawBlobs(ctx context.Context, prefix *string) iter.Seq2[RawBlob, error] { //nolint:gocognit // containers, pages and blobs, one within the other
	return func(yield func(RawBlob, error) bool) {
		for pager := h.large().NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: prefix}); pager.More(); {
			page, err := pager.NextPage(ctx)
			if noContainer(err) {
				return
			}
			if err != nil {
				yield(RawBlob{}, failed(err, "listing the blobs of container %s", h.largeContainer()))
				return
			}
			for _, item := range page.Segment.BlobItems {
				b := RawBlob{Name: *item.Name}
				if p := item.Properties; p != nil {
					b.etag = p.ETag
					if p.ContentLength != nil {
						b.Size = *p.ContentLength
					}
					if p.LastModified != nil {
						b.Modified = *p.LastModified
					}
				}
				if !yield(b, nil) {
					return
				}
			}
		}
	}
}

// DeleteRawBlob deletes a blob if it is as it was listed.
func (h *Hub) DeleteRawBlob(ctx context.Context, b RawBlob) error {
	return h.deleteBlob(ctx, b.Name, quoted(b.etag))
}

// Folder begins the names of the blobs of an instance.
func Folder(id string) string { return folder(id) }

// QueueNames are the queues of the account whose names begin like those of the hub's
// own, with one request a page.
func (h *Hub) QueueNames(ctx context.Context, prefix string) (names []string, err error) {
	pager := h.account.Queues.NewListQueuesPager(&azqueue.ListQueuesOptions{Prefix: to.Ptr(strings.ToLower(h.name) + prefix)})
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, failed(err, "listing the queues of task hub %q", h.name)
		}
		for _, q := range page.Queues {
			if q.Name != nil {
				names = append(names, *q.Name)
			}
		}
	}
	return names, nil
}

// RawMessage is a message that can be received now.
type RawMessage struct {
	ID       string
	Body     string
	Inserted time.Time
	Dequeued int
}

// Peek looks at the first messages of a queue, at most 32, and takes none.
// taskhub.ErrNoHub when there is no such queue.
func (h *Hub) Peek(ctx context.Context, queue string) (messages []RawMessage, err error) {
	resp, err := h.queue(queue).PeekMessages(ctx, &azqueue.PeekMessagesOptions{NumberOfMessages: to.Ptr(int32(32))})
	if noHub(err) {
		return nil, fmt.Errorf("queue %s: %w", queue, taskhub.ErrNoHub)
	}
	if err != nil {
		return nil, failed(err, "looking at queue %s", queue)
	}
	for _, m := range resp.Messages {
		raw := RawMessage{ID: *m.MessageID, Body: *m.MessageText}
		if m.InsertionTime != nil {
			raw.Inserted = m.InsertionTime.UTC()
		}
		if m.DequeueCount != nil {
			raw.Dequeued = int(*m.DequeueCount)
		}
		messages = append(messages, raw)
	}
	return messages, nil
}

// Put puts a text on a queue as it is, and makes the queue where it is missing.
func (h *Hub) Put(ctx context.Context, queue, body string) error {
	options := &azqueue.EnqueueMessageOptions{TimeToLive: to.Ptr(int32(-1))}
	_, err := h.queue(queue).EnqueueMessage(ctx, body, options)
	if status(err) == http.StatusNotFound {
		if _, err := h.queue(queue).Create(ctx, nil); err != nil && !exists(err) {
			return failed(err, "creating queue %s", queue)
		}
		_, err = h.queue(queue).EnqueueMessage(ctx, body, options)
	}
	if err != nil {
		return failed(err, "putting a message on queue %s", queue)
	}
	return nil
}
