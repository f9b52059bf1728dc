package durable_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// semaphore is who holds the permits, and until when: a holder that is terminated does
// not keep one for good.
type semaphore struct {
	Holders map[string]time.Time `json:"holders"`
}

const (
	permits    = 3
	permitLast = 10 * time.Minute
)

// acquire gives a permit to the orchestration that calls, if one is free.
func (s *semaphore) acquire(ctx *durable.EntityContext, _ durable.None) (bool, error) {
	for holder, until := range s.Holders {
		if ctx.Now().After(until) {
			delete(s.Holders, holder)
		}
	}
	if _, has := s.Holders[ctx.Caller()]; !has && len(s.Holders) >= permits {
		return false, nil
	}
	if s.Holders == nil {
		s.Holders = map[string]time.Time{}
	}
	s.Holders[ctx.Caller()] = ctx.Now().Add(permitLast)
	return true, nil
}

func (s *semaphore) release(ctx *durable.EntityContext, _ durable.None) error {
	delete(s.Holders, ctx.Caller())
	return nil
}

// A semaphore lets three orchestrations at once use what can serve no more of them,
// whichever processes they run in.
func ExampleEntityContext_Caller() {
	var mu sync.Mutex
	now, most, done := 0, 0, 0
	use := durable.NewAction("Use", func(ctx context.Context, _ durable.None) error {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		<-time.After(time.Second)
		mu.Lock()
		now--
		done++
		mu.Unlock()
		return nil
	})
	semaphores := durable.NewEntity[semaphore]("Semaphore")
	acquire := durable.NewOperation(semaphores, "Acquire", (*semaphore).acquire)
	release := durable.NewCommand(semaphores, "Release", (*semaphore).release)
	job := durable.NewOrchestrator("Job", func(ctx *durable.Context, _ durable.None) (durable.None, error) {
		for {
			has, err := acquire.Call(ctx, "printer", durable.None{}).Await()
			if err != nil {
				return durable.None{}, err
			}
			if has {
				break
			}
			if err := ctx.Sleep(500 * time.Millisecond); err != nil {
				return durable.None{}, err
			}
		}
		_, err := use.Call(ctx, durable.None{}).Await()
		if failed := release.Signal(ctx, "printer", durable.None{}); err == nil {
			err = failed
		}
		return durable.None{}, err
	})
	durabletest.Example(func(env *durabletest.Env) {
		jobs := make([]*durabletest.Instance[durable.None], 10)
		for i := range jobs {
			jobs[i] = durabletest.Start(env, job, durable.None{})
		}
		for _, j := range jobs {
			if _, err := j.Result(); err != nil {
				fmt.Println(err)
			}
		}
		fmt.Println(done, "jobs, at most", most, "at once")
	}, semaphores, job, use)
	// Output: 10 jobs, at most 3 at once
}

// limiter is when the next call may be made.
type limiter struct {
	Next time.Time `json:"next"`
}

const callEvery = 500 * time.Millisecond

// reserve gives the caller a time for its call.
func (l *limiter) reserve(ctx *durable.EntityContext, _ durable.None) (time.Time, error) {
	at := ctx.Now()
	if l.Next.After(at) {
		at = l.Next
	}
	l.Next = at.Add(callEvery)
	return at, nil
}

// A rate limiter spreads the calls of many orchestrations: at most two a second.
func ExampleNewOperation() {
	limiters := durable.NewEntity[limiter]("Limiter")
	reserve := durable.NewOperation(limiters, "Reserve", (*limiter).reserve)
	var mu sync.Mutex
	var calls []time.Time
	call := durable.NewAction("CallThem", func(context.Context, durable.None) error {
		mu.Lock()
		defer mu.Unlock()
		calls = append(calls, time.Now())
		return nil
	})
	job := durable.NewOrchestrator("Limited", func(ctx *durable.Context, _ durable.None) (durable.None, error) {
		at, err := reserve.Call(ctx, "api.example.com", durable.None{}).Await()
		if err == nil {
			_, err = ctx.NewTimerAt(at).Await() // which may be over
		}
		if err != nil {
			return durable.None{}, err
		}
		return call.Call(ctx, durable.None{}).Await()
	})
	durabletest.Example(func(env *durabletest.Env) {
		jobs := make([]*durabletest.Instance[durable.None], 7)
		for i := range jobs {
			jobs[i] = durabletest.Start(env, job, durable.None{})
		}
		for _, j := range jobs {
			if _, err := j.Result(); err != nil {
				fmt.Println(err)
			}
		}
		took := calls[len(calls)-1].Sub(calls[0])
		fmt.Println(len(calls), "calls in", took.Round(time.Second))
	}, limiters, job, call)
	// Output: 7 calls in 3s
}
