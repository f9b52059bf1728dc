package history

import "bytes"

// noCustom is what a turn records that has taken the custom status away.
var noCustom = Payload("null")

// CustomStatus is the custom status that a turn has recorded with its end, an
// OrchestratorCompleted, and reports whether it has recorded one. nil: the turn has
// taken it away.
func CustomStatus(e *Event) (custom Payload, set bool) {
	if bytes.Equal(e.Own.Options, noCustom) {
		return nil, true
	}
	return e.Own.Options, e.Own.Options != nil
}

// SetCustomStatus records it, in an event that is not stored yet.
func SetCustomStatus(e *Event, custom Payload) {
	e.Own.Options = custom
	if custom == nil {
		e.Own.Options = noCustom
	}
}
