package entity

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/durable-go/functions/internal/history"
)

const (
	// maxRecent is how many of the last operations stand beside the state, for people
	// who look at it.
	maxRecent = 10
	// maxRecentText bounds their texts, in bytes.
	maxRecentText = 200
)

// Done is an operation that an entity has run.
type Done struct {
	Operation string    `json:"op"`
	At        time.Time `json:"at"`
	// By is the instance that asked for it; empty: a client.
	By string `json:"by,omitempty"`
	// Error is why it failed; empty: it did not.
	Error string `json:"error,omitempty"`
}

// did notes an operation that was run.
func (d *draft) did(r *history.EntityRequest, at time.Time, failure *history.FailureDetails) {
	done := Done{Operation: short(r.Operation), At: at, By: short(r.Parent)}
	if failure != nil {
		done.Error = short(failure.ErrorType + ": " + failure.ErrorMessage)
	}
	d.recent = lastOf(append(d.recent, done))
}

func lastOf(list []Done) []Done { return list[max(len(list)-maxRecent, 0):] }

// short cuts a text that is too long to be kept.
func short(text string) string {
	if len(text) <= maxRecentText {
		return text
	}
	at := maxRecentText
	for at > 0 && !utf8.RuneStart(text[at]) {
		at--
	}
	return strings.ToValidUTF8(text[:at], "?") + "..."
}
