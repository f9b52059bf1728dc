package durable

import (
	"errors"
	"iter"

	"github.com/durable-go/functions/internal/engine"
)

// All waits for all the tasks and returns their results in the order of the
// arguments. When some failed the error joins their errors (errors.Join), and
// the results of the others are there.
func All[T any](tasks ...*Task[T]) ([]T, error) {
	results := make([]T, len(tasks))
	errs := make([]error, len(tasks))
	for i, t := range tasks {
		results[i], errs[i] = t.Await()
	}
	return results, errors.Join(errs...)
}

// FirstError waits until all the tasks have ended or one has failed, and
// returns the results in the order of the arguments, or the error of the task
// that failed first. It does not wait for the rest then.
func FirstError[T any](tasks ...*Task[T]) ([]T, error) {
	results := make([]T, len(tasks))
	for i, t := range AsCompleted(tasks...) {
		result, err := t.Await()
		if err != nil {
			return nil, err
		}
		results[i] = result
	}
	return results, nil
}

// Result is how a task ended.
type Result[T any] struct {
	// Value is the result of a task that succeeded.
	Value T
	// Err is nil where the task succeeded; that of a call is a [*TaskError].
	Err error
}

// AllSettled waits for all the tasks and returns how each of them ended, in the
// order of the arguments.
func AllSettled[T any](tasks ...*Task[T]) []Result[T] {
	results := make([]Result[T], len(tasks))
	for i, t := range tasks {
		results[i].Value, results[i].Err = t.Await()
	}
	return results
}

// Any waits until one of the tasks has ended, however it ended, and returns the
// one that was first, with its index among the arguments. Every replay finds the
// same one. It needs at least one task. The others go on; nothing waits for them
// when the orchestrator ends. A wait for an event that was not the first takes no
// event until something waits for it again.
func Any[T any](tasks ...*Task[T]) (index int, first *Task[T]) {
	list := make([]Awaitable, len(tasks))
	for i, t := range tasks {
		list[i] = t
	}
	index = Select(list...)
	return index, tasks[index]
}

// Select is Any for tasks of several types: it returns the index of the one
// that was first.
func Select(tasks ...Awaitable) int {
	if len(tasks) == 0 {
		panic(engine.Misuse("Any and Select need at least one task: of none, none ends"))
	}
	positions, list := unique(tasks)
	g := tasks[0].context().rt.Group(list...)
	defer g.Close()
	return positions[g.Next()][0]
}

// AsCompleted yields the tasks in the order in which they end, each with its
// index among the arguments. Every replay has the same order.
func AsCompleted[T any](tasks ...*Task[T]) iter.Seq2[int, *Task[T]] {
	return func(yield func(int, *Task[T]) bool) {
		if len(tasks) == 0 {
			return
		}
		list := make([]Awaitable, len(tasks))
		for i, t := range tasks {
			list[i] = t
		}
		positions, open := unique(list)
		g := tasks[0].ctx.rt.Group(open...)
		defer g.Close()
		for t := g.Next(); t != nil; t = g.Next() {
			for _, i := range positions[t] {
				if !yield(i, tasks[i]) {
					return
				}
			}
		}
	}
}

// unique finds the positions of each task, of which one may be there twice.
func unique(tasks []Awaitable) (positions map[*engine.Task][]int, list []*engine.Task) {
	positions = make(map[*engine.Task][]int, len(tasks))
	for i, t := range tasks {
		et := t.engineTask()
		if positions[et] == nil {
			list = append(list, et)
		}
		positions[et] = append(positions[et], i)
	}
	return positions, list
}
