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
// of user code that starts and ends. It lives in memory that the two processes
// share, so that the supervisor can read it however the child died. What ran at
// that moment is suspect: the next child runs the suspects one at a time. One
// that is on trial when the process dies again is blamed, and is refused from
// then on with a reason, until its failure is stored somewhere durable
// ([Journal.Settle]).
//
// A child holds the read end of a pipe from its supervisor and exits when that
// ends, so that a killed supervisor leaves nothing behind that holds the port.
// The supervisor leaves when the host that started it is gone.
//
// There is no supervisor where no host has given a port, under a debugger,
// where DURABLE_SUPERVISOR is "off", and on systems that cannot hand a listener
// over (Windows). The journal then goes by the delivery counts of messages.
package supervise
