// Package notify is the activity Notify.
package notify

import (
	"context"
	"log/slog"

	"github.com/durable-go/functions/durable"
)

// Activity tells somebody something. It stands in for your mail or chat.
var Activity = durable.NewAction("Notify", func(ctx context.Context, text string) error {
	slog.WarnContext(ctx, text)
	return nil
})
