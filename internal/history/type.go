package history

// Type is the kind of an event. The numbers are those of the official
// EventType enumeration, which queue messages and the history API carry.
type Type int8

// The event types, in the official numbering.
const (
	ExecutionStarted Type = iota
	ExecutionCompleted
	ExecutionFailed
	ExecutionTerminated
	TaskScheduled
	TaskCompleted
	TaskFailed
	SubOrchestrationInstanceCreated
	SubOrchestrationInstanceCompleted
	SubOrchestrationInstanceFailed
	TimerCreated
	TimerFired
	OrchestratorStarted
	OrchestratorCompleted
	EventSent
	EventRaised
	ContinueAsNew
	GenericEvent
	HistoryState
	ExecutionSuspended
	ExecutionResumed
	ExecutionRewound
)

// Status is the runtime status of an orchestration, in the official numbering
// of OrchestrationStatus.
type Status int8

// The runtime statuses.
const (
	Running Status = iota
	Completed
	ContinuedAsNew
	Failed
	Canceled
	Terminated
	Pending
	Suspended
)

// Unknown is the status of a row that could not be read. Nothing stores it.
const Unknown Status = -1

// Finished reports whether an orchestration with this status will never run
// again unless it is rewound or replaced.
func (s Status) Finished() bool {
	return s == Completed || s == Failed || s == Canceled || s == Terminated
}
