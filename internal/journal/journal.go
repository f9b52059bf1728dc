// Package journal is what the rooms of a worker tell about the user code that they run
// and the messages that they hold, so that code that ends the process can be told from
// its neighbours, and the next process can go on at once.
package journal

import (
	"context"
	"errors"

	"github.com/durable-go/functions/internal/taskhub"
)

// CodeKind is what sort of user code a Code is.
type CodeKind int

const (
	// TurnCode is a turn of an orchestrator, or the replay before it.
	TurnCode CodeKind = iota
	// ActivityCode is a call of an activity.
	ActivityCode
	// EntityCode is an operation of an entity.
	EntityCode
)

// Code names a piece of user code. The same code has the same name whichever
// process runs it.
type Code struct {
	Kind     CodeKind
	Instance string
	// Execution is that of an orchestration, or the request for an operation of an
	// entity.
	Execution string
	// Position is how many events were committed before a turn, or the task id of an
	// activity.
	Position int64
}

// Journal finds out which user code ends the process, and keeps the messages of
// a process that died from being hidden until their leases end. It never blocks
// but in Begin.
type Journal interface {
	// Begin is called before the code runs; it may wait while other code must be
	// alone. deliveries is the delivery count of the message that brought the code
	// its work, 0 for work that no message brought.
	//
	// An [Elsewhere] error means that the code runs in another process: its
	// messages are to be given back after a moment (turns and operations get it; an
	// activity waits until ctx ends). Any other error, while ctx lives, is the reason with
	// which the code fails: it ended the process before and must not run again.
	Begin(ctx context.Context, code Code, deliveries int) (Run, error)
	// Committed tells the journal that the instance has stored all that its turns before the
	// position did, and which of its activities are open still. It is called after
	// every commit, and after a load.
	Committed(instance, execution string, position int64, open func(task int64) bool)
	// Waiting tells the journal which requests the inbox of an entity still has. Others
	// were carried out, here or by another process.
	Waiting(entity string, has func(request string) bool)
	// Stored tells the journal that the result of an activity that a work item brought is stored
	// in a message, or what an operation did in a commit.
	Stored(code Code)
	// Ended tells the journal that the instance has ended, or does not exist.
	Ended(instance string)
	// Settle tells the journal that the failure of code that must not run is stored.
	Settle(code Code)

	// Hold tells the journal that this process holds a message, from now on or for another time;
	// LetGo that it does not any more.
	Hold(lease *taskhub.Lease, deliveries int)
	LetGo(lease *taskhub.Lease)
}

// Run is code that runs.
type Run interface {
	// Return tells the journal that the code has returned, or with left that it was given up
	// while its goroutine is still there; Gone that this has ended. Only the first
	// Return counts.
	Return(left bool)
	Gone()
}

// None is a journal that blames no code.
var None Journal = none{}

type none struct{}

func (none) Begin(context.Context, Code, int) (Run, error)          { return noRun{}, nil }
func (none) Committed(string, string, int64, func(task int64) bool) {}
func (none) Waiting(string, func(request string) bool)              {}
func (none) Stored(Code)                                            {}
func (none) Ended(string)                                           {}
func (none) Settle(Code)                                            {}
func (none) Hold(*taskhub.Lease, int)                               {}
func (none) LetGo(*taskhub.Lease)                                   {}

type noRun struct{}

func (noRun) Return(bool) {}
func (noRun) Gone()       {}

// Elsewhere is the error for code that is for another process to run, now or
// later: what it is sent waits for it.
type Elsewhere interface {
	error
	Elsewhere()
}

// IsElsewhere reports whether an error is, or wraps, an [Elsewhere].
func IsElsewhere(err error) bool {
	var elsewhere Elsewhere
	return errors.As(err, &elsewhere)
}
