// Package supervise keeps an app alive when user code ends its process, and
// finds out which user code it was.
//
// The Functions host gives up on an app whose process ended three times within
// half an hour. So the process that the host starts is a small supervisor:
// [Enter], called before anything else, does not return in it. It opens the
// port, starts the same binary again as its child, hands it the listener, and
// starts the next child when one dies. Connections that arrive in between wait
// in the listener.
//
// In the child Enter returns a [Child]. Its [Journal] is told about every piece
// of user code that begins and ends, and about every message that the child
// holds. What code runs is in memory that the two processes share, so that the
// supervisor can read it however the child died.
//
// # Blame
//
// What ran when a child died is suspect, and so is what had returned and whose
// outcome was not stored yet. Code that belongs to an instance is tried in a
// second child, which has no listener: one instance at a time, piece by piece,
// while the first child serves everybody else. The code is above suspicion when
// what it did is stored; a turn by a commit past its position in the history. It
// is blamed when the process dies once more while it runs alone, and is refused
// from then on with a reason, until its failure is stored ([Journal.Settle]).
// That explains the deaths at which it ran: what is suspected of no other one is
// free.
//
//   - A SIGKILL from outside makes suspects, but it blames code only at the third
//     time that this was alone, unless the system has counted a process that took
//     too much memory.
//   - Code that was given up while its goroutine is still there ([Run.Return]) is
//     to blame when nothing else ran.
//   - Each death, and each trial that ends without a result because others wait,
//     doubles the time of the next trial, from ten seconds on, and the pause
//     before it, to ten minutes.
//   - An HTTP request that the host repeats, or the message of a trigger, is tried
//     in the first child, one at a time.
//   - How often a message was delivered is no evidence.
//   - A child that the supervisor ends, or that says so before it leaves
//     ([Journal.Leave]), leaves no suspects.
//
// # Messages
//
// The messages of a child that died are given to the next one, with their
// receipts ([Journal.Takeover]), so that its instances need not wait until their
// leases end. What comes for a suspect instance is handed to the process that
// tries it ([Journal.Divert]).
//
// A child holds the read end of a pipe from its supervisor and exits when that
// ends, so that a killed supervisor leaves nothing behind that holds the port.
// The supervisor leaves when the host that started it is gone.
//
// There is no supervisor where no host has given a port, under a debugger,
// where DURABLE_SUPERVISOR is "off", and on systems that cannot hand a listener
// over (Windows). The journal then goes by the delivery counts of messages, see
// [Journal.Begin].
package supervise
