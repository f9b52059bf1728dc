// Package hello is the activity Hello.
package hello

import (
	"context"

	"github.com/durable-go/functions/durable"
)

// Activity greets a city.
var Activity = durable.NewActivity("Hello", func(ctx context.Context, city string) (string, error) {
	return "Hello " + city + "!", nil
})
