// Package reconcile finds instances that wait although no process works on them, and
// wakes them.
//
// A message that is hidden cannot be listed: when a machine ends, what the Functions
// host had fetched there stays hidden for ten minutes, and a client may end between
// its row and its message. So one process of the hub at a time looks at unfinished
// instances, some twenty a minute and more at its start, and compares what it sees
// with what it saw before:
//
//	nothing was committed for longer than a lease,
//	no process says that it works on the instance (see below),
//	and the queue's first message is younger than the first look,
//
// so no process works on it, and its message is not one that waits. Then the history
// says what is missing, if anything: a wake-up is sent that asks for it. An instance
// that rightly waits is looked at less and less often, up to once an hour, until
// something is committed.
//
// # Who works on what
//
// A process that holds messages notes every five seconds in a small blob of the hub
// which instances they are for. A process that holds none notes nothing. Clocks are
// not compared: a note counts when it has changed since the first look.
//
// # Who looks
//
// A blob names the process that looks. It writes a number every minute; where the
// number is the same for two minutes another process takes its place, and one that
// starts takes it at once.
package reconcile
