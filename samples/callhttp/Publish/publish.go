// Package publish is the activity Publish.
package publish

import (
	"context"
	"log/slog"

	"github.com/durable-go/functions/durable"
)

// Activity makes a file visible to the public.
var Activity = durable.NewAction("Publish", func(ctx context.Context, file string) error {
	slog.InfoContext(ctx, "published", "file", file)
	return nil
})
