// Package durable lets a developer write long-running, stateful workflows as
// ordinary Go code and run them in an Azure Functions custom handler.
//
// An orchestrator is a function that calls activities and waits for them. What
// it has done is recorded in a storage account; when the process ends, another
// one runs the function again over the record and goes on where it was:
//
//	var Hello = durable.NewActivity("Hello", func(ctx context.Context, city string) (string, error) {
//		return "Hello " + city + "!", nil
//	})
//
//	var Greet = durable.NewOrchestrator("Greet", func(ctx *durable.Context, city string) (string, error) {
//		return Hello.Call(ctx, city).Await()
//	})
//
//	func main() {
//		app := durable.NewApp() // first: see App
//		app.Register(Greet, Hello)
//		log.Fatal(app.Run(context.Background()))
//	}
//
// # The one rule
//
// Because it is run again, an orchestrator must do the same each time. It uses
// only what its [Context] offers: [Context.Now] for the time, [Context.NewGUID]
// and [Context.Rand] for ids and chance, [Context.Logger] for logs,
// [Context.Sleep] for waiting. Everything else (requests, files, the clock,
// goroutines, channels, the order of a map) belongs into activities, which run
// at least once and may fail: see [NewActivity]. A [SideEffect] records a small
// value that differs each time, a [Step] runs a piece of the orchestrator's own
// code as an activity.
//
// # Deferred functions
//
// When an orchestrator returns, its deferred functions may do all that it may:
// call activities, wait for them, and change its error. So a saga can undo in a
// defer what was done, where there is an error:
//
//	defer func() {
//		if err != nil { // the orchestrator's named result
//			_, failed := Refund.Call(ctx, receipt).Await()
//			err = errors.Join(err, failed)
//		}
//	}()
//
// They also run whenever the orchestrator leaves memory while it waits, in the
// middle of its code, and again at the end, in another process perhaps. Then there
// is no error, the function recover returns nil, and nothing can be asked of the
// Context: a call that asks for something, or waits, ends the deferred function. So
// what a deferred function does without a condition, and without the Context, is
// done several times: that suits what is in memory, such as giving back a buffer,
// and nothing else. A panic of the orchestrator runs them as usual.
//
// # Tasks
//
// A call, a timer, an event and a branch are each a [Task], which [Task.Await]
// waits for. [All] waits for many of one type, [Any] for the first, [Select]
// for the first of several types, [AsCompleted] for one after the other. [Map]
// calls an activity, a child or a [Branch] for each item, as many at a time as
// [WithMaxConcurrency] allows; [MapSettled] has results and errors item by item.
// [FirstError] and [AllSettled] are All with other ideas about failure. [Go] runs
// a piece of the orchestrator concurrently with the rest.
//
// An [Action] is an activity without a result: [Action.Do] calls it and waits.
//
// # Time and events
//
// [Context.NewTimer] makes a timer of any length that survives the process, and
// can be cancelled. [WaitForEvent] waits for what a client or another
// orchestration sends; [Events] receives many. Both take [WithTimeout]. An [Event]
// has the name and the type of the data in one place, for both sides.
//
// # Values
//
// Inputs, results, events and statuses are JSON as encoding/json makes it, unless
// [App.UseSerializer] says otherwise. A nil pointer, slice or map is absent: callers of
// the HTTP API see null, and Go code reads nil again. An empty slice or map stays [] or
// {}: return one where others expect a list. [Map] and [All] return an empty slice
// where there is nothing to do.
//
// # Failure
//
// The error of a failed call is a [*TaskError]. Errors that were registered
// with [RegisterError] or [RegisterErrorValue] are found in it by errors.As and
// errors.Is. [WithRetry] repeats a failing call ([App.UseRetry]: every call);
// [NonRetryable] and [RetryAfter] let an activity have a say in it. [WithTimeout]
// bounds each run, [WithTotalTimeout] all of a call or a child. An orchestrator that returns
// an error, or panics, ends as Failed. What earlier calls have done stays done:
// undo it with further calls before the orchestrator returns (a saga; see the
// examples Compensation and Defer). A client gets an [*OrchestrationError], in
// which errors.As and errors.Is find the same.
//
// # Orchestrations of orchestrations
//
// [Orchestrator.Call] starts another orchestration as a child and waits for its
// result, [Orchestrator.StartDetached] starts one that goes its own way.
// [Orchestrator.ContinueAsNew] begins again with an empty history: the way to run
// forever. [Orchestrator.Get] is the handle of an instance that exists.
//
// # Changing code
//
// Instances in flight have a history that the new code must still fit. Where it
// does not, the instance is parked until code comes that fits. [Patched] guards
// a change; [Context.Version] tells with which version an instance was started.
package durable
