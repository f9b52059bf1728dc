package azure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/taskhub"
)

// Send puts a message that never expires: the service's default is seven days.
func (h *Hub) Send(ctx context.Context, queue string, m *taskhub.Message, delay time.Duration) (*taskhub.Lease, error) {
	text, err := h.messageText(ctx, m)
	if err != nil {
		return nil, err
	}
	seconds := wholeSeconds(delay)
	until := h.options.Now().Add(time.Duration(seconds) * time.Second)
	resp, err := h.queue(queue).EnqueueMessage(ctx, text, &azqueue.EnqueueMessageOptions{
		TimeToLive:        to.Ptr(int32(-1)),
		VisibilityTimeout: to.Ptr(seconds),
	})
	if err != nil {
		return nil, failed(err, "sending %s to queue %s", m.Event.Type, queue)
	}
	if len(resp.Messages) == 0 || resp.Messages[0].MessageID == nil || resp.Messages[0].PopReceipt == nil {
		return nil, fmt.Errorf("sending %s to queue %s: the reply names no message", m.Event.Type, queue)
	}
	sent := resp.Messages[0]
	return &taskhub.Lease{Queue: queue, MessageID: *sent.MessageID, PopReceipt: *sent.PopReceipt, Body: text, Until: until}, nil
}

// messageText is what is put on the queue: the envelope, or where it is when it
// is too long.
func (h *Hub) messageText(ctx context.Context, m *taskhub.Message) (string, error) {
	envelope := taskhub.EncodeMessage(m)
	if len(envelope) <= taskhub.MaxInline {
		return taskhub.EncodeBody(envelope), nil
	}
	name := messageBlob(m)
	etag, err := h.writeLarge(ctx, largePayload{name, envelope})
	if err != nil {
		return "", fmt.Errorf("message %s to instance %q: %w", m.Event.Type, m.Target.InstanceID, err)
	}
	return taskhub.EncodeStub(name, etag), nil
}

// wholeSeconds rounds up: a message must never be visible early.
func wholeSeconds(d time.Duration) int32 {
	d = min(max(d, 0), taskhub.MaxDelay)
	return int32((d + time.Second - 1) / time.Second)
}

// Receive takes visible messages.
func (h *Hub) Receive(ctx context.Context, queue string, most int, hide time.Duration) ([]taskhub.Delivery, error) {
	seconds := max(wholeSeconds(hide), 1)
	until := h.options.Now().Add(time.Duration(seconds) * time.Second)
	resp, err := h.queue(queue).DequeueMessages(ctx, &azqueue.DequeueMessagesOptions{
		NumberOfMessages:  to.Ptr(int32(most)),
		VisibilityTimeout: to.Ptr(seconds),
	})
	if err != nil {
		return nil, failed(err, "receiving from queue %s", queue)
	}
	out := make([]taskhub.Delivery, 0, len(resp.Messages))
	for _, m := range resp.Messages {
		d := taskhub.Delivery{
			Lease:    &taskhub.Lease{Queue: queue, MessageID: *m.MessageID, PopReceipt: *m.PopReceipt, Body: *m.MessageText, Until: until},
			Dequeued: int(*m.DequeueCount),
			Inserted: *m.InsertionTime,
		}
		out = append(out, d)
	}
	h.openAll(ctx, out)
	return out, nil
}

// openAll decodes the messages of deliveries. Blobs are read at the same time;
// the others cost no goroutine.
func (h *Hub) openAll(ctx context.Context, deliveries []taskhub.Delivery) {
	var apart []*taskhub.Delivery
	for i := range deliveries {
		d := &deliveries[i]
		d.Message, d.Err = taskhub.DecodeMessage([]byte(d.Lease.Body))
		if errors.As(d.Err, new(*taskhub.InBlobError)) {
			apart = append(apart, d)
		}
	}
	_ = eachLarge(len(apart), func(i int) error {
		d := apart[i]
		d.Message, d.Err = h.Open(ctx, []byte(d.Lease.Body))
		return nil
	})
	for _, d := range deliveries {
		if d.Message != nil && d.Message.ID == "" {
			d.Message.ID = d.Lease.MessageID
		}
	}
}

// Renew repeats the message's text, which an update without one would erase.
func (h *Hub) Renew(ctx context.Context, l *taskhub.Lease, hide time.Duration) error {
	seconds := wholeSeconds(hide)
	until := h.options.Now().Add(time.Duration(seconds) * time.Second)
	ctx, tries := storage.WithTries(ctx)
	resp, err := h.queue(l.Queue).UpdateMessage(ctx, l.MessageID, l.PopReceipt, l.Body, &azqueue.UpdateMessageOptions{VisibilityTimeout: to.Ptr(seconds)})
	if lost(err) && !tries.Unanswered() {
		return fmt.Errorf("renewing a message of queue %s: %w", l.Queue, taskhub.ErrLeaseLost)
	}
	if err != nil {
		// Where a try had no answer, the refusal of the next one may be its doing:
		// each update changes the receipt.
		return failed(err, "renewing a message of queue %s", l.Queue)
	}
	if resp.PopReceipt == nil {
		return errors.New("renewing a message: the reply has no pop receipt")
	}
	l.PopReceipt, l.Until = *resp.PopReceipt, until
	return nil
}

// Remove deletes the message, and then its blob unless that was written again
// since: another copy of the message needs it then. A blob that stays after a
// crash goes with the purge of the instance.
func (h *Hub) Remove(ctx context.Context, l *taskhub.Lease) error {
	_, err := h.queue(l.Queue).DeleteMessage(ctx, l.MessageID, l.PopReceipt, nil)
	if err != nil && !lost(err) {
		return failed(err, "deleting a message of queue %s", l.Queue)
	}
	if in := taskhub.StubBlob(l.Body); in != nil && err == nil && in.ETag != "" {
		etag := azcore.ETag(in.ETag)
		return h.deleteBlob(ctx, in.Name, &etag)
	}
	return nil
}

// lost reports whether the message is gone or another receiver has taken it.
func lost(err error) bool { return missing(err) || code(err) == "PopReceiptMismatch" }
