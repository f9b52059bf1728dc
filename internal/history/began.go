package history

import (
	"bytes"
	"time"
)

// The options (Own.Options) of a TaskCompleted or TaskFailed hold when the attempt
// began: {"began":"2026-03-02T12:00:00.1234567Z"}. Engines that do not write them
// leave them out, and nothing but views reads them.
const (
	beganHead = `{"began":"`
	beganTail = `"}`
)

// BeganOptions are the options of the result of an activity: when it began to run,
// after what it has waited for a slot.
func BeganOptions(t time.Time) Payload {
	dst := make([]byte, 0, len(beganHead)+len("2006-01-02T15:04:05.0000000Z")+len(beganTail))
	return append(appendRowTime(append(dst, beganHead...), t), beganTail...)
}

// Began is when the attempt of an activity began whose result an event is; zero
// where the event does not have it.
func Began(e *Event) time.Time {
	if e.Type != TaskCompleted && e.Type != TaskFailed {
		return time.Time{}
	}
	text, ok := bytes.CutPrefix(e.Own.Options, []byte(beganHead))
	if text, found := bytes.CutSuffix(text, []byte(beganTail)); ok && found {
		if t, err := time.Parse(time.RFC3339Nano, string(text)); err == nil {
			return t
		}
	}
	return time.Time{}
}
