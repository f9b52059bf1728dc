// Package activity runs the user code that has side effects: a pool with a bound on
// how much of it runs at once, and bounds for single activities; what runs report of
// their progress; and the work items that come through queues.
//
// Each run has a lease, the message under which it runs: the one that its
// orchestration holds, or a work item of its own. No run begins when its lease is
// past its time. A run is told to stop, through its context, when nobody wants its
// result any more; the cause says why.
package activity
