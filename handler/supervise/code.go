package supervise

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Kind is what sort of user code a [Code] is.
type Kind string

// The kinds of code. The first three belong to an instance, which is tried as a
// whole in a process of its own. Code of kind Request is known by the id of its
// request or message alone, and is tried where requests are served.
const (
	Turn     Kind = "turn"     // one turn of an orchestrator, or the replay before it
	Activity Kind = "activity" // one call of an activity
	Entity   Kind = "entity"   // one operation of an entity
	Request  Kind = "request"  // an HTTP request or the message of a trigger
)

// Code names a piece of user code. The same code has the same name after a
// crash, in whichever process it runs.
type Code struct {
	Kind Kind
	// Instance is the id of the orchestration or entity; empty for a Request.
	Instance string
	// Execution is the execution of the orchestration that the position is of. For
	// a Request or an Entity it is the id of the request.
	Execution string
	// Position is where in the history the code begins: for a Turn the number of
	// events that were committed before it, which only grows; for an Activity its
	// task id.
	Position int64
}

// maxID is the longest part of a name that is kept as it is.
const maxID = 200

// short bounds the ids of a code, so that it fits into the journal: long ones
// end in their hash.
func (c Code) short() Code {
	c.Instance, c.Execution = shortID(c.Instance), shortID(c.Execution)
	return c
}

func shortID(id string) string {
	if len(id) <= maxID {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	digest := hex.EncodeToString(sum[:16])
	return strings.ToValidUTF8(id[:maxID-1-len(digest)], "") + "~" + digest
}

// String is how logs and errors name the code.
func (c Code) String() string {
	switch c.Kind {
	case Request:
		return "request " + c.Execution
	case Activity:
		return fmt.Sprintf("activity %d of instance %q", c.Position, c.Instance)
	case Entity:
		return fmt.Sprintf("operation %s of entity %q", c.Execution, c.Instance)
	default:
		return fmt.Sprintf("%s %d of instance %q", c.Kind, c.Position, c.Instance)
	}
}

// covers reports whether a verdict on c is one on other: on the same code, or on
// a later turn of the same execution, which would repeat it first.
func (c Code) covers(other Code) bool {
	if c == other {
		return true
	}
	return c.turns() && c.Kind == other.Kind && c.Instance == other.Instance && c.Execution == other.Execution && c.Position <= other.Position
}

// turns reports whether the position of the code is one that grows with each
// commit of its instance.
func (c Code) turns() bool { return c.Kind == Turn }

// past reports whether a turn is behind its instance, when that has committed up
// to the position of another one.
func (c Code) past(at Code) bool {
	return c.turns() && c.Instance == at.Instance && (c.Execution != at.Execution || c.Position < at.Position)
}

// text is the code as a slot of the journal has it.
func (c Code) text() string {
	return string(c.Kind) + "\x00" + strconv.FormatInt(c.Position, 10) + "\x00" + c.Execution + "\x00" + c.Instance
}

// parseCode is the inverse of text. A slot whose process died while it was
// written cannot be read: writers set its state last.
func parseCode(text string) Code {
	parts := strings.SplitN(text, "\x00", 4)
	if len(parts) < 4 {
		return Code{Kind: Request, Execution: text}
	}
	position, _ := strconv.ParseInt(parts[1], 10, 64)
	return Code{Kind: Kind(parts[0]), Position: position, Execution: parts[2], Instance: parts[3]}
}
