package durable

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"
	"github.com/durable-go/functions/handler"
)

// poison moves a message to <queue>-poison, where the host would put it. The
// copy comes first: a crash in between leaves two messages, not none.
func (s *service) poison(ctx context.Context, m *handler.QueueMessage) error {
	if s.account == nil {
		return errors.New("there is no queue service")
	}
	target := s.account.Queues.NewQueueClient(m.Queue + "-poison")
	_, err := target.EnqueueMessage(ctx, string(m.Body), &azqueue.EnqueueMessageOptions{TimeToLive: to.Ptr(int32(-1))})
	if status(err) == http.StatusNotFound {
		if _, err := target.Create(ctx, nil); err != nil && status(err) != http.StatusConflict {
			return fmt.Errorf("creating queue %s-poison: %w", m.Queue, err)
		}
		_, err = target.EnqueueMessage(ctx, string(m.Body), &azqueue.EnqueueMessageOptions{TimeToLive: to.Ptr(int32(-1))})
	}
	if err != nil {
		return fmt.Errorf("moving a message to queue %s-poison: %w", m.Queue, err)
	}
	// The host removes the original when this invocation is answered well.
	return nil
}

func status(err error) int {
	var failed *azcore.ResponseError
	if errors.As(err, &failed) {
		return failed.StatusCode
	}
	return 0
}
