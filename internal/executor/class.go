package executor

import (
	"errors"

	"github.com/durable-go/functions/internal/taskhub"
)

// Class is what an error of storage means for who asked.
type Class int

const (
	// Again: the outcome is unknown, or it will work later. The same request is
	// repeated.
	Again Class = iota
	// Overtaken: another process, or the end of what was asked about, was faster.
	// The caller looks again before it decides.
	Overtaken
	// Later: this process cannot do it now, and a repetition at once is of no use.
	// The work is put off.
	Later
	// Refused: no repetition will ever succeed. The caller fails, or parks, what
	// it is about.
	Refused
)

// classes are the errors of the store that are not [Again].
var classes = []struct {
	class  Class
	errors []error
}{
	{Overtaken, []error{
		taskhub.ErrNotFound, taskhub.ErrExists, taskhub.ErrChanged, taskhub.ErrConflict, taskhub.ErrGone,
		taskhub.ErrLeaseLost, taskhub.ErrPayloadGone, taskhub.ErrTaken,
	}},
	{Later, []error{taskhub.ErrFormat, taskhub.ErrForeignHub, taskhub.ErrSealed, taskhub.ErrUnread}},
	{Refused, []error{taskhub.ErrTooLarge, taskhub.ErrRefused, taskhub.ErrUnreadable}},
}

// Classify returns the class of an error. nil has none.
func Classify(err error) Class {
	for _, c := range classes {
		for _, known := range c.errors {
			if errors.Is(err, known) {
				return c.class
			}
		}
	}
	return Again
}
