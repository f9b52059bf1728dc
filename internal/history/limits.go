package history

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// What a history, its rows and its messages can hold. Whatever brings a value
// from outside (a client, the management API, the calls of an orchestrator)
// checks it here before anything is stored: storage refuses the rest for good.
const (
	// MaxInstanceID is the longest instance id in UTF-16 units, as in the official
	// extension. An id may take twice the room as the key of a partition.
	MaxInstanceID = 256
	// MaxName is the longest name of a function or an event, and the longest
	// version, in bytes.
	MaxName = 256
	// MaxTags is how long the JSON of tags may be in UTF-16 units: it is a column
	// of the Instances table.
	MaxTags = MaxColumn
	// MaxCustomStatus is the largest custom status in bytes of UTF-16.
	MaxCustomStatus = 16 << 10
)

// MinTime and MaxTime are the first and the last time that a row can hold: those
// of Edm.DateTime.
var (
	MinTime = time.Date(1601, time.January, 1, 0, 0, 0, 0, time.UTC)
	MaxTime = time.Date(9999, time.December, 31, 23, 59, 59, 999_999_900, time.UTC)
)

// LimitError means that a value is not one that a history can hold. It is the
// caller's: nothing was stored.
type LimitError struct {
	// Subject is what the value is: "the instance id".
	Subject string
	// Problem is what is wrong with it, and what is allowed.
	Problem string
}

func (e *LimitError) Error() string { return e.Subject + " " + e.Problem }

func limit(subject, format string, args ...any) error {
	return &LimitError{Subject: subject, Problem: fmt.Sprintf(format, args...)}
}

// CheckInstanceID checks an id that a caller chose for an orchestration. The
// rules are the official extension's: entities begin with @, and the other
// characters cannot stand in a key or a path.
func CheckInstanceID(id string) error {
	const subject = "the instance id"
	switch {
	case id == "":
		return limit(subject, "must not be empty")
	case !utf8.ValidString(id):
		return limit(subject, "must be valid UTF-8")
	case UTF16Len(id) > MaxInstanceID:
		return limit(subject, "is longer than %d characters", MaxInstanceID)
	case id == "." || id == "..":
		return limit(subject, "%q is a step in a path", id)
	case id[0] == '@':
		return limit(subject, "%q begins with @, which marks entities", id)
	}
	for _, r := range id {
		if strings.ContainsRune(`/\#?`, r) || isControl(r) {
			return limit(subject, "%q contains %q: slashes, backslashes, #, ? and control characters are not allowed", id, r)
		}
	}
	return nil
}

func isControl(r rune) bool { return r < 0x20 || r >= 0x7f && r <= 0x9f }

// CheckName checks the name of something: of an orchestrator, an activity, an
// event. Functions of the app have narrower rules.
func CheckName(of, name string) error {
	if name != "" && len(name) <= MaxName && isPlain(name) {
		return nil // without a text for the error, which every call would pay for
	}
	if name == "" || len(name) > MaxName {
		return limit("the name of "+of, "has 1 to %d bytes, not %d", MaxName, len(name))
	}
	return checkText("the name of "+of, name)
}

// CheckVersion checks the version of an orchestration; none is allowed.
func CheckVersion(version string) error {
	if len(version) > MaxName {
		return limit("the version", "has at most %d bytes, not %d", MaxName, len(version))
	}
	return checkText("the version", version)
}

// isPlain reports whether a text has printable ASCII only.
func isPlain(text string) bool {
	for i := range len(text) {
		if text[i] < 0x20 || text[i] >= 0x7f {
			return false
		}
	}
	return true
}

// checkText finds what does not come back from storage as it was, or breaks the
// lines of logs.
func checkText(subject, text string) error {
	if !utf8.ValidString(text) {
		return limit(subject, "must be valid UTF-8: %q", text)
	}
	if i := strings.IndexFunc(text, isControl); i >= 0 {
		return limit(subject, "must not contain control characters: %q", text)
	}
	return nil
}

// FireAndForget is the tag that makes a call of an orchestration a start on its
// own, in the official engine too.
const FireAndForget = "FireAndForget"

// classTag is what official writers put into JSON objects: their readers take
// it for a class.
const classTag = "$type"

// CheckTags checks the tags of an orchestration or a call.
func CheckTags(tags map[string]string) error {
	for name, value := range tags {
		switch {
		case name == "" || len(name) > MaxName:
			return limit("the name of a tag", "has 1 to %d bytes, not %d", MaxName, len(name))
		case name == FireAndForget || name == classTag:
			return limit("the tag "+name, "has a meaning of its own: choose another name")
		case !utf8.ValidString(value):
			return limit("the tag "+name, "must be valid UTF-8: %q", value)
		}
		if err := checkText("the name of a tag", name); err != nil {
			return err
		}
	}
	if len(tags) == 0 {
		return nil
	}
	if size := UTF16Len(AppendTags(nil, tags)); size > MaxTags {
		return limit("the tags", "have as JSON %d characters, at most %d are stored", size, MaxTags)
	}
	return nil
}

// CheckTime checks a time that is to be stored.
func CheckTime(subject string, t time.Time) error {
	if t.Before(MinTime) || t.After(MaxTime) {
		return limit(subject, "is in the year %d: times are stored from %d to %d", t.UTC().Year(), MinTime.Year(), MaxTime.Year())
	}
	return nil
}

// ClampTime is the time nearest to t that a row can hold; the zero Time, which
// means none, stays.
func ClampTime(t time.Time) time.Time {
	switch {
	case t.IsZero():
		return t
	case t.Before(MinTime):
		return MinTime
	case t.After(MaxTime):
		return MaxTime
	}
	return t
}

// CheckCustomStatus checks the size of a custom status. The text is the official
// one, and so is that it is an error of no type of its own.
func CheckCustomStatus(p Payload) error {
	if size := 2 * UTF16Len(p); size > MaxCustomStatus {
		return fmt.Errorf("The UTF-16 size of the JSON-serialized payload must not exceed 16 KB. The current payload size is %d KB.", size/1024)
	}
	return nil
}

// CheckStart checks all that names a start of an orchestration, but for its
// instance id.
func CheckStart(of, name, version string, tags map[string]string) error {
	if err := CheckName(of, name); err != nil {
		return err
	}
	if err := CheckVersion(version); err != nil {
		return err
	}
	return CheckTags(tags)
}
