// Package clean is the activity Clean.
package clean

import (
	"context"
	"log/slog"

	"github.com/durable-go/functions/durable"
)

// Activity removes what is old and returns how much that was.
var Activity = durable.NewActivity("Clean", func(ctx context.Context, round int) (int, error) {
	slog.InfoContext(ctx, "cleaned", "round", round)
	return 3, nil
})
