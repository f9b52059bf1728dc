package engine

import (
	"errors"

	"github.com/durable-go/functions/internal/history"
)

// Failure is an error whose structure is known: how an orchestration, an
// activity or a child failed.
type Failure struct {
	Details *history.FailureDetails
	// Reason is the text that the official history keeps beside the details.
	Reason string
	// Attempt is the number of the call that failed, from 1; 0 for a call
	// without a retry policy.
	Attempt int
}

// Error is the message of the details, or the reason where there are none.
func (f *Failure) Error() string {
	if f.Details != nil {
		return f.Details.ErrorMessage
	}
	return f.Reason
}

func failureOf(err error) *history.FailureDetails {
	var failure *Failure
	if errors.As(err, &failure) && failure.Details != nil {
		return failure.Details
	}
	return &history.FailureDetails{ErrorType: "error", ErrorMessage: err.Error()}
}
