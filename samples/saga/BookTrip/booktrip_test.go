package booktrip_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/durable-go/functions/durabletest"
	booktrip "github.com/durable-go/functions/samples/saga/BookTrip"
	booking "github.com/durable-go/functions/samples/saga/Booking"
)

func TestTripIsBooked(t *testing.T) {
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		trip, err := durabletest.Start(env, booktrip.Orchestrator, "Rome").Result()
		if want := []string{"flight-Rome", "hotel-Rome", "car-Rome"}; err != nil || !slices.Equal(trip.Bookings, want) {
			t.Errorf("got %+v, %v", trip, err)
		}
	}, booktrip.Orchestrator, booking.Book, booking.Cancel)
}

// A cancellation that fails for a while is tried until it works.
func TestTripIsUndone(t *testing.T) {
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		env.Fail("Cancel", 3, errors.New("the airline does not answer"))
		_, err := durabletest.Start(env, booktrip.Orchestrator, "Venice").Result()
		if !errors.Is(err, booking.ErrFull) {
			t.Errorf("failed with %v", err)
		}
		cancelled := durabletest.Inputs(env, booking.Cancel)
		if want := []string{"hotel-Venice", "flight-Venice"}; !slices.Equal(slices.Compact(cancelled), want) {
			t.Errorf("cancelled %q, want %q", cancelled, want)
		}
	}, booktrip.Orchestrator, booking.Book, booking.Cancel)
}

// The process ends at each of its storage calls in turn; what was booked is cancelled
// all the same, the last booking first.
func TestUndoingOutlivesCrashes(t *testing.T) {
	durabletest.EveryCrash(t, func(t *testing.T, env *durabletest.Env) {
		_, err := durabletest.Start(env, booktrip.Orchestrator, "Venice").Result()
		cancelled := slices.Compact(durabletest.Inputs(env, booking.Cancel)) // one may run twice
		if want := []string{"hotel-Venice", "flight-Venice"}; !errors.Is(err, booking.ErrFull) || !slices.Equal(cancelled, want) {
			t.Errorf("cancelled %q, failed with %v", cancelled, err)
		}
	}, booktrip.Orchestrator, booking.Book, booking.Cancel)
}
