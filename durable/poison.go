package durable

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"
	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/handler"
	"github.com/durable-go/functions/internal/storage"
)

// poison moves a message to <queue>-poison, where the host would put it, in the
// account of the queue, whose setting the connection names. The copy comes
// first: a crash in between leaves two messages, not none.
func (s *service) poison(ctx context.Context, m *handler.QueueMessage, connection string) error {
	account, err := s.accountOf(connection)
	if err != nil {
		return fmt.Errorf("moving a message to queue %s-poison: %w", m.Queue, err)
	}
	target := account.Queues.NewQueueClient(m.Queue + "-poison")
	_, err = target.EnqueueMessage(ctx, string(m.Body), &azqueue.EnqueueMessageOptions{TimeToLive: to.Ptr(int32(-1))})
	if status(err) == http.StatusNotFound {
		if _, err := target.Create(ctx, nil); err != nil && status(err) != http.StatusConflict {
			return fmt.Errorf("creating queue %s-poison: %w", m.Queue, err)
		}
		_, err = target.EnqueueMessage(ctx, string(m.Body), &azqueue.EnqueueMessageOptions{TimeToLive: to.Ptr(int32(-1))})
	}
	if err != nil {
		return fmt.Errorf("moving a message to queue %s-poison: %w", m.Queue, err)
	}
	if o := s.app.registry.observer; o != nil {
		o.Measure(observe.Measurement{Quantity: observe.Poisoned, Name: m.Queue, Value: 1})
	}
	// The host removes the original when this invocation is answered well.
	return nil
}

// accountOf is the account that a function.json names by its connection.
func (s *service) accountOf(connection string) (*storage.Account, error) {
	if s.account != nil && (connection == "" || strings.EqualFold(connection, "AzureWebJobsStorage")) {
		return s.account, nil
	}
	if connection == "" {
		connection = "AzureWebJobsStorage"
	}
	resolved, err := storage.Resolve(connection, os.Getenv)
	if err != nil {
		return nil, err
	}
	return storage.Open(resolved, storage.Options{})
}

func status(err error) int {
	var failed *azcore.ResponseError
	if errors.As(err, &failed) {
		return failed.StatusCode
	}
	return 0
}
