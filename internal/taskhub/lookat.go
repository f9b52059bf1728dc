package taskhub

import (
	"bytes"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// lookAt begins the options of a wake-up that has a time.
const lookAt = `{"look":true,"at":"`

// LookAt is [Look] for what becomes due at a time: a process that gets it before keeps
// it until then. Its sender hides it for that long.
func LookAt(instance, seed string, now, due time.Time) *Message {
	m := Look(instance, seed, now)
	m.Event.Own.Options = append(history.AppendTime([]byte(lookAt), due), `"}`...)
	return m
}

// LookDue is the time of a [LookAt]; zero for every other message.
func LookDue(m *Message) time.Time {
	at, due := bytes.CutPrefix(m.Event.Own.Options, []byte(lookAt))
	if !due || !IsLook(m) {
		return time.Time{}
	}
	t, err := history.ParseTime(string(bytes.TrimSuffix(at, []byte(`"}`))))
	if err != nil {
		return time.Time{}
	}
	return t
}
