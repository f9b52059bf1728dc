//go:build !unix

package supervise

import (
	"errors"
	"log/slog"
)

// canSupervise is false: a listener cannot be handed to a child here, and
// parents do not change.
const canSupervise = false

const childVariable = "DURABLE_SUPERVISED_CHILD"

func debugged() bool { return false }

func supervise(Options) (code int) { return 1 }

func enterChild(string, *slog.Logger) (*Child, error) {
	return nil, errors.New(childVariable + " is set, but there is no supervisor on this system: unset it")
}
