package azure_test

import (
	"errors"

	"github.com/durable-go/functions/internal/taskhub"
)

// sentinels are the errors that callers of a store act upon.
var sentinels = []error{
	taskhub.ErrNotFound, taskhub.ErrExists, taskhub.ErrChanged, taskhub.ErrConflict, taskhub.ErrGone, taskhub.ErrLeaseLost,
	taskhub.ErrPayloadGone, taskhub.ErrTaken, taskhub.ErrRefused, taskhub.ErrTooLarge, taskhub.ErrFormat, taskhub.ErrUnreadable, taskhub.ErrNoHub, taskhub.ErrForeignHub, taskhub.ErrToken,
}

// wrapsOnly reports whether an error has this meaning and no other; nil: none of
// them.
func wrapsOnly(err, wanted error) bool {
	for _, sentinel := range sentinels {
		if errors.Is(err, sentinel) != (sentinel == wanted) {
			return false
		}
	}
	return true
}
