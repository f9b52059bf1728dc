package durable

import "github.com/durable-go/functions/internal/history"

// RuntimeStatus is how far an instance has come, by its official name. It is a string
// under another name, so that it goes into answers, queries and logs as it is;
// [IsFinished] and [Status.Finished] ask it.
type RuntimeStatus = string

// The runtime statuses.
const (
	// StatusPending: the instance was started, and its first turn is not stored
	// yet.
	StatusPending RuntimeStatus = "Pending"
	// StatusRunning: the orchestrator runs, or waits for something.
	StatusRunning RuntimeStatus = "Running"
	// StatusSuspended: an operator has suspended the instance, or the engine has
	// parked it ([Status.Parked]).
	StatusSuspended RuntimeStatus = "Suspended"
	// StatusCompleted: the orchestrator has returned a result.
	StatusCompleted RuntimeStatus = "Completed"
	// StatusFailed: the orchestrator has returned an error, or panicked.
	StatusFailed RuntimeStatus = "Failed"
	// StatusTerminated: the instance was terminated.
	StatusTerminated RuntimeStatus = "Terminated"
	// StatusCanceled is written by other implementations only. The instance has
	// finished.
	StatusCanceled RuntimeStatus = "Canceled"
	// StatusContinuedAsNew is in histories only: the execution was followed by
	// another one.
	StatusContinuedAsNew RuntimeStatus = "ContinuedAsNew"
	// StatusUnknown: the instance could not be read ([Status.Err]), or has a
	// status of another implementation.
	StatusUnknown RuntimeStatus = "Unknown"
)

// Finished reports whether the instance has ended, well or not.
func (s *Status) Finished() bool { return IsFinished(s.RuntimeStatus) }

// IsFinished reports whether an instance of that status has ended, well or not: it is
// Completed, Failed, Terminated or Canceled.
func IsFinished(s RuntimeStatus) bool {
	switch s {
	case StatusCompleted, StatusFailed, StatusTerminated, StatusCanceled:
		return true
	}
	return false
}

func runtimeStatus(s history.Status) RuntimeStatus { return s.String() }
