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
// Because it is run again, an orchestrator must do the same each time. It uses
// only what its [Context] offers: [Context.Now] for the time, [Context.NewGUID]
// for ids, [Context.Logger] for logs. Everything else (requests, files, random
// numbers, the clock, goroutines, channels) belongs into activities, which run
// at least once and may fail: see [NewActivity].
package durable
