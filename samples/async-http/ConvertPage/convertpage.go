// Package convertpage is the activity ConvertPage.
package convertpage

import (
	"context"
	"strings"

	"github.com/durable-go/functions/durable"
)

// Activity converts a page.
var Activity = durable.NewActivity("ConvertPage", func(_ context.Context, page string) (string, error) {
	return strings.ToUpper(page), nil
})
