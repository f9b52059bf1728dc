// Package booking is the activities BookTrip needs: to book something, and to cancel
// it.
package booking

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/durable-go/functions/durable"
)

// Wish is what is to be booked: a flight, a hotel or a car.
type Wish struct {
	What string `json:"what"`
	City string `json:"city"`
}

// ErrFull means that nothing is left of what is wanted.
var ErrFull = errors.New("nothing is left")

func init() { durable.RegisterErrorValue("trip.ErrFull", ErrFull) }

// Book books what is wanted and returns the number of the booking. There are no cars in
// Venice.
var Book = durable.NewActivity("Book", func(ctx context.Context, w Wish) (string, error) {
	if w.What == "car" && w.City == "Venice" {
		return "", durable.NonRetryable(fmt.Errorf("%s in %s: %w", w.What, w.City, ErrFull))
	}
	slog.InfoContext(ctx, "booked", "what", w.What, "city", w.City)
	return w.What + "-" + w.City, nil
})

// Cancel cancels a booking by its number.
var Cancel = durable.NewAction("Cancel", func(ctx context.Context, number string) error {
	slog.InfoContext(ctx, "cancelled", "number", number)
	return nil
})
