// Package booktrip is the orchestrator BookTrip, a saga: all of a trip is booked, or
// nothing of it.
package booktrip

import (
	"errors"
	"slices"
	"time"

	"github.com/durable-go/functions/durable"
	booking "github.com/durable-go/functions/samples/saga/Booking"
)

// Trip is what was booked.
type Trip struct {
	Bookings []string `json:"bookings"`
}

// untilDone is for what must be undone: it is tried for about two days.
var untilDone = durable.WithRetry(durable.RetryPolicy{
	MaxAttempts: 60, FirstInterval: time.Second, Backoff: 2, MaxInterval: time.Hour,
})

// saga is how to undo what was done.
type saga struct{ undo []func() error }

// did notes how to undo a step that was done.
func (s *saga) did(undo func() error) { s.undo = append(s.undo, undo) }

// rollBack undoes all steps, the last one first, and joins what failed meanwhile to the
// reason. A step that cannot be undone does not keep the others from it.
func (s *saga) rollBack(reason error) error {
	for _, undo := range slices.Backward(s.undo) {
		reason = errors.Join(reason, undo())
	}
	return reason
}

// Orchestrator books a flight, a hotel and a car.
var Orchestrator = durable.NewOrchestrator("BookTrip", func(ctx *durable.Context, city string) (Trip, error) {
	var trip Trip
	var steps saga
	for _, what := range []string{"flight", "hotel", "car"} {
		number, err := booking.Book.Call(ctx, booking.Wish{What: what, City: city}).Await()
		if err != nil {
			ctx.SetCustomStatus("undoing")
			return Trip{}, steps.rollBack(err)
		}
		trip.Bookings = append(trip.Bookings, number)
		steps.did(func() error { return booking.Cancel.Do(ctx, number, untilDone) })
	}
	return trip, nil
})
