// Package durabletest tests orchestrators without storage, host or waiting. The
// engine is the real one; its task hub is in memory, and its time jumps to the
// next thing that is due.
//
// # A first test
//
// [Run] makes an [Env], an app with the given functions, in which [Start] starts
// an orchestrator. [Instance.Result] moves the clock until it has finished:
//
//	func TestOrder(t *testing.T) {
//		durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
//			receipt, err := durabletest.Start(env, Order, 500).Result()
//			...
//		}, Order, Charge)
//	}
//
// [Options] test a whole [durable.App], with settings of host.json, or from
// another day on. The app's middleware, serializer and payload codec are used as
// they are when it runs; a codec that fails, or does not decode what it has
// encoded, ends the test. [Example] is Run for Examples.
//
// # Activities and children
//
// Activities and sub-orchestrations run as they are, unless the test says
// otherwise: [Replace] and [ReplaceOrchestrator] put another function in the
// place of one, [Env.Fail] and [Env.FailOrchestrator] make one fail. [Env.Calls]
// and [Inputs] tell what activities were called with. A misspelt name makes the
// test fail. What waits for a network does not wait in the time of the
// environment, and must not be left open at the end: give App.UseHTTPClient a
// transport that calls an http.Handler instead.
//
// # Time
//
// Nothing waits in a test: timers, time.Sleep and time.After in activities, and
// the clock of the orchestrator follow the time of the environment. It stands
// still while there is something to do. [Env.Advance] moves it by as much as the
// test wants, [Env.RunUntilIdle] until nothing is left to do, [Instance.Result]
// until an orchestration has finished. [Instance.Timers] are the timers that are
// open. An orchestrator's timers fire to the second, as they do from storage.
//
// # Events and control
//
// [Instance.RaiseEvent] sends an external event, [Instance.Terminate],
// [Instance.Suspend], [Instance.Resume] and [Instance.Rewind] do what operators
// do. [Env.Client] is a client for everything else.
//
// # What was recorded
//
// [Instance.History] is the record of an orchestration, [Instance.Status] what
// clients see of it. [Find] is a child, or another instance that the test did
// not start.
//
// # Crashes
//
// An orchestration outlives its process. [Env.Crash] ends the process at once,
// [Env.CrashAt] at a storage call of choice, and [EveryCrash] runs a test once
// for every storage call that it makes; [CheckEveryCrash] is the same without a
// *testing.T.
//
// # Determinism
//
// Code that does not do the same each time is found without a crash. While its
// history has no more than 100 events, an orchestration is replayed from it
// whenever a timer, an event or a child wakes it up, and later each time the
// history has doubled:
// code that differs is parked, as in a running app (see [Instance.Parked]). At
// the end of the test, and when an orchestration continues as new, all that is
// recorded is replayed once more, and the test fails with a [Mismatch]. So the
// time of a test grows with the length of a history, not with its square.
//
// What is compared is what the code asks for: the order of its actions, their
// kinds and names, the inputs of calls, children and events, and for when timers
// are (see [Options].Loose). So the clock, random numbers, the order of a map or a
// global variable are found where they reach an action, and where they differ
// between the runs of a test. Not found is what reaches none, such as a time that
// is only logged or returned; the instance id that the code gives to a child; and
// what happens to be the same in each run: time.Now as long as the clock of the
// environment stands still, an environment variable, a map with one key.
//
// # Changed code
//
// [Replay] runs today's code over histories of yesterday, which a test keeps as
// files: it fails where the code does not fit them any more. [Check] is the same
// outside of tests. [Instance.HistoryJSON] makes such a file.
package durabletest
