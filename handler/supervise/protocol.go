package supervise

import (
	"encoding/json"
	"time"
)

// Message is a message of a queue that a process holds: enough to take it over
// from a process that died.
type Message struct {
	Queue, ID, Receipt string
	// Body is the message's text as it is stored.
	Body []byte
	// Until is when the message becomes visible to others.
	Until time.Time
	// Dequeued is how often it was delivered.
	Dequeued int
}

// briefing is what a supervisor tells a child: once at its start, and again
// whenever something has changed. Codes are as short makes them.
type briefing struct {
	// Trial is the instance that the child is for; empty in the one that serves
	// everybody.
	Trial string
	// Host is the process that started the supervisor.
	Host int
	// Suspects and Blamed replace those of the briefing before.
	Suspects []Suspect
	Blamed   []verdict
	// Messages are the child's to take over, in addition to those before.
	Messages []Message
}

// Suspect is code that ran when a process died.
type Suspect struct {
	Code Code
	// Deaths is how often that was.
	Deaths int
}

type verdict struct {
	Code   Code
	Reason string
}

// report is what a child tells its supervisor. Exactly one field is set.
type report struct {
	// Held is a message that the child holds, or holds for another time.
	Held *Message
	// Gone is the id of a message that it does not hold any more.
	Gone string
	// Diverted is a message for a suspect instance, which came to a child that does
	// not try it.
	Diverted *diverted
	// Stored is suspect code whose outcome is stored; Settled is blamed code whose
	// failure is.
	Stored, Settled *Code
	// Accused is code that is suspect to another instance of the app.
	Accused *Suspect
	// Leaving is why the child is about to end of its own accord.
	Leaving string
}

type diverted struct {
	Instance string
	Message  Message
}

// MarshalJSON keeps names that are not valid UTF-8 as they are.
func (c Code) MarshalJSON() ([]byte, error) { return json.Marshal([]byte(c.text())) }

// UnmarshalJSON is the inverse of MarshalJSON.
func (c *Code) UnmarshalJSON(raw []byte) error {
	var text []byte
	if err := json.Unmarshal(raw, &text); err != nil {
		return err
	}
	*c = parseCode(string(text))
	return nil
}
