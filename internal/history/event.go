// Package history holds the events of an orchestration's history and their
// three representations: a row of the History table, the event inside a queue
// message, and the JSON of the history API. Names, columns and numbers are the
// official engine's (DurableTask.Core and DurableTask.AzureStorage), so that
// its tools read our task hubs.
package history

import "time"

// NoID is the ID of an event that is not an action of the orchestrator.
const NoID int32 = -1

// Payload is a text at rest, nearly always JSON: an input, a result, a reason.
// nil means absent, which is not the same as empty. A payload is never changed
// after it was made, so it may be shared between goroutines.
type Payload []byte

// carried chooses among the columns that Event.Carried stands for.
func carried(t Type, correlation, clientSpan, parentExecution string) string {
	switch t {
	case ExecutionStarted:
		return correlation
	case SubOrchestrationInstanceCreated:
		return clientSpan
	case ExecutionRewound:
		return parentExecution
	}
	return ""
}

// Event is one entry of a history. Which fields are meaningful depends on
// Type; the comment of each field names the types that use it. An Event that
// was handed to another package is read-only.
type Event struct {
	Type Type
	// Played is the IsPlayed column. Nothing in this module depends on it.
	Played bool
	// Status of ExecutionCompleted and ContinueAsNew.
	Status Status
	// ID is the sequence number of an action (TaskScheduled, TimerCreated,
	// SubOrchestrationInstanceCreated, EventSent, ExecutionCompleted,
	// ContinueAsNew): 0, 1, 2... in the order in which the orchestrator asked.
	// It is NoID for every other event.
	ID int32
	// Timestamp is UTC, cut to 100 ns. For OrchestratorStarted it is the
	// orchestrator's clock during the turn.
	Timestamp time.Time

	// TaskID is the ID of the action that a completion answers:
	// TaskScheduledId of TaskCompleted, TaskFailed and the
	// SubOrchestrationInstance completions, TimerId of TimerFired.
	TaskID int32

	// Semantics is in the first event of an execution, an OrchestratorStarted: the
	// rules of the engine that began it, in a column of our own. 0: those of the
	// first engine. (It stands here because here it takes no memory.)
	Semantics int32

	// Name of the orchestrator (ExecutionStarted,
	// SubOrchestrationInstanceCreated), the activity (TaskScheduled) or the
	// event (EventRaised, EventSent).
	Name    string
	Version string
	// Input of ExecutionStarted, TaskScheduled,
	// SubOrchestrationInstanceCreated, EventRaised and EventSent; the reason of
	// ExecutionTerminated. Rows of TaskScheduled and of
	// SubOrchestrationInstanceCreated hold none unless the task hub stores
	// inputs.
	Input Payload
	// Result of TaskCompleted, SubOrchestrationInstanceCompleted,
	// ExecutionCompleted and ContinueAsNew.
	Result Payload
	// Reason of failures, ExecutionSuspended, ExecutionResumed and
	// ExecutionRewound; Details of failures. Data of GenericEvent is in Reason.
	Reason  Payload
	Details Payload
	Failure *FailureDetails

	// FireAt of TimerCreated and TimerFired.
	FireAt time.Time
	// Instance is the orchestration of ExecutionStarted.
	Instance InstanceRef
	// InstanceID is the child of SubOrchestrationInstanceCreated, the target of
	// EventSent, the rewound child of ExecutionRewound.
	InstanceID string
	// Carried is a text for the official format only: the Correlation of
	// ExecutionStarted, the ClientSpanId of SubOrchestrationInstanceCreated, the
	// ParentExecutionId of ExecutionRewound.
	Carried string

	// The rest belongs to ExecutionStarted, Tags also to TaskScheduled and
	// SubOrchestrationInstanceCreated.
	Parent *Parent
	Tags   map[string]string
	// Trace is the W3C trace context of the sender.
	Trace          *TraceContext
	ScheduledStart time.Time
	// Generation counts the executions under one instance id; nil for children
	// and entities.
	Generation *int32

	// Own holds our own columns, which begin with "Go". The official tools
	// ignore them.
	Own Own
}

// Own is what we remember with an event beside the official columns.
type Own struct {
	// Lease is the logical id of the message under whose lease the action was
	// dispatched; empty when it was dispatched another way.
	Lease string
	// Message is the logical id of the message that brought the event. It is
	// what makes a repeated delivery recognisable.
	Message string
	// InputHash is a hash of the action's input, 0 when not recorded.
	InputHash uint64
	// Options is a compact JSON object of what else an action needs after a
	// restart (per-call timeout, retry attempt ...), and of the result of an activity
	// when it began ([BeganOptions]); nil when nothing does.
	Options Payload
}

// InstanceRef names an execution of an orchestration. ExecutionID is empty
// where any execution is meant.
type InstanceRef struct {
	InstanceID  string
	ExecutionID string
}

// Parent is the orchestration that started this one as its child.
type Parent struct {
	Name     string
	Version  string
	Instance InstanceRef
	// TaskID is the ID of the parent's SubOrchestrationInstanceCreated.
	TaskID int32
}

// TraceContext is the official DistributedTraceContext.
type TraceContext struct {
	TraceParent string
	TraceState  string
	ID          string
	SpanID      string
	Started     time.Time
}

// FailureDetails is the official structured error: what crosses every
// boundary between user code and the engine. It is immutable.
type FailureDetails struct {
	ErrorType    string
	ErrorMessage string
	StackTrace   Payload
	Inner        *FailureDetails
	NonRetriable bool
	// Properties is a JSON object or nil.
	Properties Payload
}
