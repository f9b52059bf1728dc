package azure

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/taskhub"
)

// answerPrefix begins the names of blobs that hold answers which do not fit the row of
// a receipt. A sweep deletes those that are older than every receipt.
const answerPrefix = "go-answer-"

func answerBlob(id, telling string) string {
	return folder(id) + answerPrefix + strings.TrimPrefix(taskhub.ReceiptKey(telling), taskhub.ReceiptsFrom) + ".json.gz"
}

// answerAll appends the answers of a commit.
func (w *writer) answerAll(b *storage.Batch, next *sentinel, answers []taskhub.Answer) {
	for _, a := range answers {
		raw := taskhub.AppendAnswered(nil, w.partition, a, func(_ string, text history.Payload) string {
			if history.FitsColumn(text) {
				return ""
			}
			blob := answerBlob(w.commit.InstanceID, a.Telling)
			w.large = append(w.large, largePayload{blob, text})
			next.fence.Apart = true
			return blob
		})
		b.Upsert(w.hub.account, w.partition, taskhub.ReceiptKey(a.Telling), raw)
	}
}

// Answer reads the receipt of a telling.
func (h *Hub) Answer(ctx context.Context, id, telling string) (history.Payload, error) {
	resp, err := h.history.GetEntity(ctx, taskhub.EscapeKey(id), taskhub.ReceiptKey(telling), &aztables.GetEntityOptions{Format: to.Ptr(aztables.MetadataFormatNone)})
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, failed(err, "reading the answer to a request to %q", id)
	}
	var row struct {
		GoAnswer     *string
		GoAnswerBlob string
	}
	if err := json.Unmarshal(resp.Value, &row); err != nil {
		return nil, failed(err, "decoding the answer to a request to %q", id)
	}
	if row.GoAnswerBlob == "" {
		return optional(row.GoAnswer), nil
	}
	text, err := h.readLarge(ctx, row.GoAnswerBlob)
	if errors.Is(err, taskhub.ErrPayloadGone) {
		return nil, nil
	}
	if err != nil {
		return nil, failed(err, "reading the answer to a request to %q", id)
	}
	return text, nil
}
