package worker

import (
	"context"

	"github.com/durable-go/functions/internal/taskhub"
)

// CodeKind is what sort of user code a Code is.
type CodeKind int

const (
	// TurnCode is a turn of an orchestrator, or the replay before it.
	TurnCode CodeKind = iota
	// ActivityCode is a call of an activity.
	ActivityCode
	// EntityCode is a batch of operations of an entity.
	EntityCode
)

// Code names a piece of user code. The same code has the same name whichever
// process runs it.
type Code struct {
	Kind                CodeKind
	Instance, Execution string
	// Position is how many events were committed before a turn or a batch of
	// operations, or the task id of an activity.
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
	// An error that isElsewhere says that the code runs in another process: its
	// messages are to be given back after a moment (only turns get it; an activity
	// waits until ctx ends). Any other error, while ctx lives, is the reason with
	// which the code fails: it ended the process before and must not run again.
	Begin(ctx context.Context, code Code, deliveries int) (Run, error)
	// Committed says that the instance has stored all that its turns before the
	// position did, and which of its activities are open still. It is called after
	// every commit, and after a load.
	Committed(instance, execution string, position int64, open func(task int64) bool)
	// Stored says that the result of an activity that a work item brought is stored
	// in a message.
	Stored(code Code)
	// Ended says that the instance has ended, or does not exist.
	Ended(instance string)
	// Settle says that the failure of code that must not run is stored.
	Settle(code Code)

	// Hold says that this process holds a message, from now on or for another time;
	// LetGo that it does not any more.
	Hold(lease *taskhub.Lease, deliveries int)
	LetGo(lease *taskhub.Lease)
}

// Run is code that runs.
type Run interface {
	// Return says that the code has returned, or with left that it was given up
	// while its goroutine is still there; Gone that this has ended. Only the first
	// Return counts.
	Return(left bool)
	Gone()
}

type noJournal struct{}

func (noJournal) Begin(context.Context, Code, int) (Run, error)          { return noRun{}, nil }
func (noJournal) Committed(string, string, int64, func(task int64) bool) {}
func (noJournal) Stored(Code)                                            {}
func (noJournal) Ended(string)                                           {}
func (noJournal) Settle(Code)                                            {}
func (noJournal) Hold(*taskhub.Lease, int)                               {}
func (noJournal) LetGo(*taskhub.Lease)                                   {}

type noRun struct{}

func (noRun) Return(bool) {}
func (noRun) Gone()       {}

// code is the turn that runs next.
func (in *instance) code() Code {
	return Code{Kind: TurnCode, Instance: in.id, Execution: in.execution, Position: int64(len(in.committed))}
}

func (c *Activity) code() Code {
	return Code{Kind: ActivityCode, Instance: c.InstanceID, Execution: c.ExecutionID, Position: int64(c.TaskID)}
}

// tellJournal says what is stored of the orchestration.
func (in *instance) tellJournal() {
	switch {
	case in.execution == "":
	case in.outcome != nil:
		in.w.Journal.Ended(in.id)
	default:
		in.w.Journal.Committed(in.id, in.execution, int64(len(in.committed)), func(task int64) bool {
			for _, e := range in.eng.Outstanding() {
				if int64(e.ID) == task {
					return true
				}
			}
			return false
		})
	}
}
