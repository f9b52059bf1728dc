package durable_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// The total timeout of a call runs while the call waits for room in the process: of
// four calls that run one after the other and take 40 minutes each, two end within 90
// minutes. WithTimeout bounds each run alone.
func TestTotalTimeoutCountsTheQueue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		option durable.ActivityOption
		took   time.Duration
		want   string
	}{
		"total":    {durable.WithTotalTimeout(90 * time.Minute), 90 * time.Minute, "ok ok Timeout Timeout"},
		"each run": {durable.WithTimeout(90 * time.Minute), 160 * time.Minute, "ok ok ok ok"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var begun, most, open atomic.Int64
			print := durable.NewAction("Print", func(ctx context.Context, page int) error {
				begun.Add(1)
				most.Store(max(most.Load(), open.Add(1)))
				defer open.Add(-1)
				select {
				case <-time.After(40 * time.Minute):
					return nil
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			})
			book := durable.NewOrchestrator("Book", func(ctx *durable.Context, pages int) (string, error) {
				var tasks []*durable.Task[durable.None]
				for page := range pages {
					tasks = append(tasks, print.Call(ctx, page, c.option))
				}
				return outcomes(durable.AllSettled(tasks...)), nil
			})
			durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
				got, err := durabletest.Start(env, book, 4).Result()
				if took := env.Elapsed().Round(time.Minute); err != nil || got != c.want || took != c.took {
					t.Errorf("%q after %v, %v; want %q after %v", got, took, err, c.want, c.took)
				}
				ran := begun.Load()
				env.RunUntilIdle()
				if begun.Load() != ran || most.Load() != 1 {
					t.Errorf("%d runs were begun after the end, and there were %d at a time", begun.Load()-ran, most.Load())
				}
			}, book, durable.LimitConcurrency(print, 1))
		})
	}
}

// outcomes are "ok", or the type of what failed, each with ErrTimeout in it.
func outcomes[T any](results []durable.Result[T]) string {
	var out []string
	for _, r := range results {
		var failed *durable.TaskError
		switch {
		case r.Err == nil:
			out = append(out, "ok")
		case errors.As(r.Err, &failed) && errors.Is(r.Err, durable.ErrTimeout):
			out = append(out, failed.Type)
		default:
			out = append(out, fmt.Sprintf("%q", r.Err))
		}
	}
	return strings.Join(out, " ")
}

// The total timeout has all attempts in it, and the waits between them; in a Map each
// call has its own, from the moment it is made.
func TestTotalTimeoutOfAttempts(t *testing.T) {
	t.Parallel()
	attempts := 0
	flaky := durable.NewAction("Flaky", func(context.Context, int) error {
		attempts++
		<-time.After(20 * time.Minute)
		return errors.New("not yet")
	})
	print := durable.NewAction("Print", func(context.Context, int) error {
		<-time.After(40 * time.Minute)
		return nil
	})
	retried := durable.NewOrchestrator("Retried", func(ctx *durable.Context, in int) (string, error) {
		// 20 minutes, 10 of waiting, 20, 20 of waiting: the third attempt is cut.
		call := flaky.Call(ctx, in, durable.WithTotalTimeout(80*time.Minute),
			durable.WithRetry(durable.RetryPolicy{MaxAttempts: 10, FirstInterval: 10 * time.Minute, Backoff: 2}))
		return outcomes(durable.AllSettled(call)), nil
	})
	mapped := durable.NewOrchestrator("Mapped", func(ctx *durable.Context, pages int) (string, error) {
		return outcomes(durable.MapSettled(ctx, make([]int, pages), print,
			durable.WithMaxConcurrency(1), durable.WithTotalTimeout(50*time.Minute))), nil
	})
	for _, c := range []struct {
		o    *durable.Orchestrator[int, string]
		took time.Duration
		want string
	}{{retried, 80 * time.Minute, "Timeout"}, {mapped, 120 * time.Minute, "ok ok ok"}} {
		durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
			attempts = 0
			got, err := durabletest.Start(env, c.o, 3).Result()
			if took := env.Elapsed().Round(time.Minute); err != nil || got != c.want || took != c.took {
				t.Errorf("%q after %v, %v; want %q after %v", got, took, err, c.want, c.took)
			}
			env.RunUntilIdle()
			if c.o == retried && attempts != 3 {
				t.Errorf("%d attempts", attempts)
			}
		}, c.o, flaky, print)
	}
}

// A child whose calls wait for room is terminated when its total timeout is over, and
// what it had not begun is not begun.
func TestTotalTimeoutOfAChildThatQueues(t *testing.T) {
	t.Parallel()
	var begun atomic.Int64
	print := durable.NewAction("Print", func(ctx context.Context, _ int) error {
		begun.Add(1)
		select {
		case <-time.After(40 * time.Minute):
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	book := durable.NewOrchestrator("Book", func(ctx *durable.Context, pages int) (string, error) {
		_, err := durable.Map(ctx, make([]int, pages), print)
		return "printed", err
	})
	shop := durable.NewOrchestrator("Shop", func(ctx *durable.Context, pages int) (string, error) {
		call := book.Call(ctx, pages, durable.WithInstanceID("book"), durable.WithTotalTimeout(time.Hour))
		return outcomes(durable.AllSettled(call)), nil
	})
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		got, err := durabletest.Start(env, shop, 4).Result()
		if took := env.Elapsed().Round(time.Minute); err != nil || got != "Timeout" || took != time.Hour {
			t.Errorf("%q after %v, %v", got, took, err)
		}
		env.RunUntilIdle()
		if s := durabletest.Find[string](env, "book").Status(); s.RuntimeStatus != durable.StatusTerminated || begun.Load() != 2 {
			t.Errorf("the child is %s, and %d runs were begun", s.RuntimeStatus, begun.Load())
		}
	}, shop, book, durable.LimitConcurrency(print, 1))
}
