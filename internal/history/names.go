package history

import "fmt"

var typeNames = [...]string{
	"ExecutionStarted", "ExecutionCompleted", "ExecutionFailed", "ExecutionTerminated", "TaskScheduled",
	"TaskCompleted", "TaskFailed", "SubOrchestrationInstanceCreated", "SubOrchestrationInstanceCompleted",
	"SubOrchestrationInstanceFailed", "TimerCreated", "TimerFired", "OrchestratorStarted",
	"OrchestratorCompleted", "EventSent", "EventRaised", "ContinueAsNew", "GenericEvent", "HistoryState",
	"ExecutionSuspended", "ExecutionResumed", "ExecutionRewound",
}

var statusNames = [...]string{
	"Running", "Completed", "ContinuedAsNew", "Failed", "Canceled", "Terminated", "Pending", "Suspended",
}

// String is the official name, which tables carry.
func (t Type) String() string {
	if t < 0 || int(t) >= len(typeNames) {
		return fmt.Sprintf("Type(%d)", int8(t))
	}
	return typeNames[t]
}

// ParseType finds a type by its official name.
func ParseType(name string) (Type, error) {
	for i, known := range typeNames {
		if known == name {
			return Type(i), nil
		}
	}
	return 0, fmt.Errorf("unknown event type %q", name)
}

// String is the official name, which tables and the HTTP API carry.
func (s Status) String() string {
	if s == Unknown {
		return "Unknown"
	}
	if s < 0 || int(s) >= len(statusNames) {
		return fmt.Sprintf("Status(%d)", int8(s))
	}
	return statusNames[s]
}

// ParseStatus finds a status by its official name.
func ParseStatus(name string) (Status, error) {
	for i, known := range statusNames {
		if known == name {
			return Status(i), nil
		}
	}
	return 0, fmt.Errorf("unknown runtime status %q", name)
}
