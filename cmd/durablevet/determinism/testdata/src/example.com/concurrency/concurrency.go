// Package concurrency has goroutines, channels and locks.
package concurrency

import (
	"sync"
	"sync/atomic"

	"example.com/helpers"
	"github.com/durable-go/functions/durable"
)

var count atomic.Int64

func Bad(ctx *durable.Context, c chan int) {
	go func() {}() // want `DUR003 concurrency: a go statement in an orchestrator: durable.Go`
	c <- 1         // want `a channel operation in an orchestrator`
	<-c            // want `a channel operation in an orchestrator`
	for range c {  // want `a channel operation in an orchestrator`
	}
	select { // want `a select statement in an orchestrator`
	case v := <-c:
		_ = v
	case c <- 1:
	default:
	}
	close(c) // want `a channel operation in an orchestrator`
	var mu sync.Mutex
	mu.Lock()         // want `sync.Mutex.Lock in an orchestrator`
	defer mu.Unlock() // want `sync.Mutex.Unlock in an orchestrator`
	var group sync.WaitGroup
	group.Wait()          // want `sync.WaitGroup.Wait in an orchestrator`
	if count.Add(1) > 1 { // want `atomic.Int64.Add in an orchestrator`
		_ = helpers.Wait() // want `Wait calls a go statement at helpers.go:\d+`
	}
}

func Good(ctx *durable.Context) {
	_, _ = durable.Go(ctx, func(ctx *durable.Context) (int, error) { return 1, nil }).Await()
	count.Add(1)
	helpers.Locked()
	_ = durable.SideEffect(ctx, func() int64 { return count.Add(1) })
	_ = durable.SideEffect(ctx, func() int {
		c := make(chan int)
		return <-c // want `a channel operation in a recorded closure, which must not wait`
	})
}

// A closure of the code around is the orchestrator's own.
func numbered() *durable.Orchestrator[int, int64] {
	next := func() int64 { return count.Add(1) }
	return durable.NewOrchestrator("Numbered", func(ctx *durable.Context, n int) (int64, error) {
		return next(), nil // want `next comes from atomic.Int64.Add`
	})
}

func ordinary(c chan int) { go func() { c <- 1 }() }
