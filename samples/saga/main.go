// A saga: a trip is booked step by step, and undone where a step fails.
package main

import (
	"context"
	"log"

	"github.com/durable-go/functions/durable"
	booktrip "github.com/durable-go/functions/samples/saga/BookTrip"
	booking "github.com/durable-go/functions/samples/saga/Booking"
)

func main() {
	app := durable.NewApp()
	app.Register(booktrip.Orchestrator, booking.Book, booking.Cancel)
	app.HandleHTTP("HttpStart", durable.HTTPStart(app.Client()))
	log.Fatal(app.Run(context.Background()))
}
