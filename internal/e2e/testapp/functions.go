package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/durable-go/functions/durable"
)

// traces is where activities leave their traces and look for orders.
var traces = os.Getenv("E2E_TRACES")

// trace appends a line to a file. Lines of concurrent writers stay whole.
func trace(name, line string) error {
	f, err := os.OpenFile(filepath.Join(traces, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line + "\n")
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// hello greets a city. It notes each run in the file of its instance, and runs
// for as long as there is a file hold-<instance>-<city>.
var hello = durable.NewActivity("Hello", func(ctx context.Context, city string) (string, error) {
	id := durable.ActivityInfoFromContext(ctx).InstanceID
	if traces == "" {
		return "Hello " + city + "!", nil
	}
	if err := trace(id, city); err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(traces, "hold-"+id+"-"+city)); err != nil {
			return "Hello " + city + "!", nil
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
})

var square = durable.NewActivity("Square", func(_ context.Context, n int) (int, error) { return n * n, nil })

// fanOut squares the numbers below n at the same time and adds them up.
var fanOut = durable.NewOrchestrator("FanOut", func(ctx *durable.Context, n int) (int, error) {
	tasks := make([]*durable.Task[int], n)
	for i := range tasks {
		tasks[i] = square.Call(ctx, i)
	}
	squares, err := durable.All(tasks...)
	sum := 0
	for _, s := range squares {
		sum += s
	}
	return sum, err
})

var exit = durable.NewAction("Exit", func(ctx context.Context, message string) error {
	if err := trace(durable.ActivityInfoFromContext(ctx).InstanceID, "exit"); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, message)
	os.Exit(1)
	return nil
})

// exiting calls an activity that always ends the process.
var exiting = durable.NewOrchestrator("Exiting", func(ctx *durable.Context, message string) (durable.None, error) {
	return exit.Call(ctx, message).Await()
})

// exitingTurn ends the process in its second turn.
var exitingTurn = durable.NewOrchestrator("ExitingTurn", func(ctx *durable.Context, message string) (durable.None, error) {
	if _, err := work.Call(ctx, 1).Await(); err != nil {
		return durable.None{}, err
	}
	log.Fatal(message) //durable:ignore DUR007 -- it is what the tests are about
	return durable.None{}, nil
})

// spinning never comes back.
var spinning = durable.NewOrchestrator("Spinning", func(*durable.Context, durable.None) (string, error) {
	for n := 0; ; n++ { //durable:ignore DUR013 -- its process has to end it
	}
})

var panics = durable.NewAction("Panics", func(_ context.Context, message string) error { panic(message) })

var panicking = durable.NewOrchestrator("Panicking", func(ctx *durable.Context, message string) (durable.None, error) {
	return panics.Call(ctx, message).Await()
})

var work = durable.NewActivity("Work", func(ctx context.Context, milliseconds int) (int, error) {
	select {
	case <-time.After(time.Duration(milliseconds) * time.Millisecond):
		return milliseconds, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
})

// working calls an activity that takes its time, ten times in sequence.
var working = durable.NewOrchestrator("Working", func(ctx *durable.Context, milliseconds int) (int, error) {
	sum := 0
	for range 10 {
		n, err := work.Call(ctx, milliseconds).Await()
		if err != nil {
			return sum, err
		}
		sum += n
	}
	return sum, nil
})

// where takes so many milliseconds and returns the process that it ran in.
var where = durable.NewActivity("Where", func(ctx context.Context, milliseconds int) (int, error) {
	select {
	case <-time.After(time.Duration(milliseconds) * time.Millisecond):
		return os.Getppid(), nil // the supervisor is there as long as the host
	case <-ctx.Done():
		return 0, ctx.Err()
	}
})

// spread is a fan-out: how much, and how long each takes.
type spread struct{ Activities, Milliseconds int }

// spreading runs activities at the same time and counts them by process.
var spreading = durable.NewOrchestrator("Spreading", func(ctx *durable.Context, s spread) (map[int]int, error) {
	items := make([]int, s.Activities)
	for i := range items {
		items[i] = s.Milliseconds
	}
	processes, err := durable.Map(ctx, items, where)
	counts := map[int]int{}
	for _, p := range processes {
		counts[p]++
	}
	return counts, err
})

var large = durable.NewActivity("Large", func(_ context.Context, size int) (string, error) {
	return strings.Repeat("x", size), nil
})

// big calls an activity whose result has the size of the input.
var big = durable.NewOrchestrator("Big", func(ctx *durable.Context, size int) (int, error) {
	text, err := large.Call(ctx, size).Await()
	return len(text), err
})
