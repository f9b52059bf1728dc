package history

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string, escaped as the official writer
// (Newtonsoft.Json) does: only what must be, and the three line ends beyond
// ASCII. Invalid UTF-8 becomes U+FFFD.
func AppendString[T ~string | ~[]byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= 0x20 && c != '"' && c != '\\' {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			dst = appendEscaped(dst, c)
			i++
			start = i
			continue
		}
		r, size := decodeRune(s[i:])
		if r == utf8.RuneError && size == 1 || r == 0x85 || r == 0x2028 || r == 0x2029 {
			dst = append(dst, s[start:i]...)
			dst = append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
			start = i + size
		}
		i += size
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

func decodeRune[T ~string | ~[]byte](s T) (rune, int) {
	n := min(len(s), utf8.UTFMax)
	var buf [utf8.UTFMax]byte
	copy(buf[:], s[:n])
	return utf8.DecodeRune(buf[:n])
}

func appendEscaped(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// ReasonText is the payload of a text that a person gave as the reason of
// something: nil for none, and a JSON string where the text itself is JSON, so
// that readers, which show JSON as JSON, show the text. Any other text stays as it
// is, as the official clients write it.
func ReasonText(reason string) Payload {
	switch {
	case reason == "":
		return nil
	case json.Valid([]byte(reason)):
		return AppendString(nil, reason)
	case !utf8.ValidString(reason):
		return Payload(strings.ToValidUTF8(reason, "\uFFFD"))
	}
	return Payload(reason)
}

// ShownReason is a reason that any client may have sent in the form of
// ReasonText: JSON that is no string becomes one.
func ShownReason(p Payload) Payload {
	if len(p) == 0 || p[0] == '"' || !json.Valid(p) {
		return p
	}
	return AppendString(nil, p)
}

// PlainReason is the text of a reason: ReasonText undone.
func PlainReason(p Payload) string {
	var text string
	if len(p) > 0 && p[0] == '"' && json.Unmarshal(p, &text) == nil {
		return text
	}
	return string(p)
}

// members appends the members of a JSON object. Names are constants of this
// package that need no escaping.
type members struct {
	dst   []byte
	typed bool // write $type members
	first bool
	apart Apart
}

func object(dst []byte, typed bool) members {
	return members{dst: append(dst, '{'), typed: typed, first: true}
}

func (m *members) end() []byte { return append(m.dst, '}') }

func (m *members) name(name string) {
	if !m.first {
		m.dst = append(m.dst, ',')
	}
	m.first = false
	m.dst = append(m.dst, '"')
	m.dst = append(m.dst, name...)
	m.dst = append(m.dst, '"', ':')
}

func (m *members) class(name string) {
	if m.typed {
		m.text("$type", name)
	}
}

func (m *members) text(name, value string) {
	m.name(name)
	m.dst = AppendString(m.dst, value)
}

// orNull writes null for an empty string.
func (m *members) orNull(name, value string) {
	if value == "" {
		m.null(name)
		return
	}
	m.text(name, value)
}

func (m *members) payload(name string, value Payload) {
	if value == nil {
		m.null(name)
		return
	}
	if m.apart != nil {
		if blob := m.apart(name, value); blob != "" {
			m.text(name, "")
			m.text(name+blobSuffix, blob)
			return
		}
	}
	m.name(name)
	m.dst = AppendString(m.dst, value)
}

func (m *members) raw(name string, value []byte) {
	m.name(name)
	if value == nil {
		value = []byte("null")
	}
	m.dst = append(m.dst, value...)
}

func (m *members) null(name string) {
	m.name(name)
	m.dst = append(m.dst, "null"...)
}

func (m *members) number(name string, value int64) {
	m.name(name)
	m.dst = strconv.AppendInt(m.dst, value, 10)
}

func (m *members) optional(name string, value *int32) {
	if value == nil {
		m.null(name)
		return
	}
	m.number(name, int64(*value))
}

func (m *members) boolean(name string, value bool) {
	m.name(name)
	m.dst = strconv.AppendBool(m.dst, value)
}

// moment writes a time in Newtonsoft's form.
func (m *members) moment(name string, t time.Time) {
	m.name(name)
	m.dst = append(m.dst, '"')
	m.dst = AppendTime(m.dst, t)
	m.dst = append(m.dst, '"')
}

func (m *members) momentOrNull(name string, t time.Time) {
	if t.IsZero() {
		m.null(name)
		return
	}
	m.moment(name, t)
}

// AppendTime appends a time as the official writer does: UTC, at most seven
// digits of a second, no trailing zeros. The zero time has no zone.
func AppendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(dst, "0001-01-01T00:00:00"...)
	}
	return t.UTC().Truncate(100*time.Nanosecond).AppendFormat(dst, "2006-01-02T15:04:05.9999999Z")
}

// ParseTime reads the forms of time that messages, rows and the API use. A time
// without a zone is UTC.
func ParseTime(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		if t, err = time.Parse("2006-01-02T15:04:05.999999999", text); err != nil {
			return time.Time{}, err
		}
	}
	return t.UTC().Truncate(100 * time.Nanosecond), nil
}
