package taskhub

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// Kinds of rows behind the sentinel, whose key begins with s: the first letters
// of their keys. The history and its sentinel come before them all.
const (
	keyControl   = 't'
	keyRest      = 'u'
	keyScheduled = 'v'
	keyReceipt   = 'w'
	keyEnd       = 'x'
)

// ClockSkew is by how much a teller's clock may be ahead of the store's without
// a look that reads an inbox in parts putting rows in the wrong order.
const ClockSkew = time.Minute

// Bounds of the keys of rows behind the sentinel: from the first, below the
// second.
const (
	InboxFrom    = string(rune(keyControl))
	RestFrom     = string(rune(keyRest))
	InboxTo      = string(rune(keyReceipt))
	ReceiptsFrom = string(rune(keyReceipt))
	ReceiptsTo   = string(rune(keyEnd))
)

// DueBounds are the bounds of the keys of rows whose due time is over.
func DueBounds(now time.Time) (from, to string) {
	return string(rune(keyScheduled)), string(rune(keyScheduled)) + hex16(ticks(now)+1)
}

// ReceiptKey is the row key of the receipt of a telling.
func ReceiptKey(id string) string { return string(rune(keyReceipt)) + keyID(id) }

// Key is the row key of a telling: its kind, its times and its id, so that a
// page of keys is roughly in the order of time. large is the payload that is
// kept apart from the row, nil when none is; the key carries a mark of it, so
// that the history row that takes the telling in can name the same blob.
//
//	t SENT - SEQUENCE - ID            control
//	u SENT - SEQUENCE - ID            the rest
//	v DUE - SENT - SEQUENCE - ID      not before a time
func (t *Telling) Key(large history.Payload) string {
	var b strings.Builder
	switch {
	case t.Control():
		b.WriteByte(keyControl)
	case t.Due.After(t.Sent):
		b.WriteByte(keyScheduled)
		b.WriteString(hex16(ticks(t.Due)) + "-")
	default:
		b.WriteByte(keyRest)
	}
	b.WriteString(hex16(ticks(t.Sent)) + "-" + hex16(uint64(t.Sequence)^1<<63) + "-" + keyID(t.ID))
	if large != nil {
		b.WriteString("." + payloadMark(large))
	}
	return b.String()
}

// LargeOf returns the name under which the telling of an inbox row's key keeps
// its payload apart, if that is the given text. Another text, such as one that a
// codec has encoded anew, is not.
func LargeOf(key string, text history.Payload) (name string, ok bool) {
	tail := keyTail(key)
	_, mark, apart := strings.Cut(tail, ".")
	return tail, apart && mark == payloadMark(text)
}

// LargeName is the name under which the telling keeps its payload apart: its id,
// and a mark of the text.
func (t *Telling) LargeName() string { return keyTail(t.Key(t.payload())) }

// payload is the text of the event that may be large.
func (t *Telling) payload() history.Payload {
	switch t.Event.Type {
	case history.ExecutionSuspended, history.ExecutionResumed:
		return t.Event.Reason
	}
	return t.Event.Input
}

// Large is the payload of the event if it does not fit a column of its row.
func (t *Telling) Large() history.Payload {
	if p := t.payload(); !history.FitsColumn(p) {
		return p
	}
	return nil
}

// LargeName returns the name under which the telling of an inbox row's key keeps
// its payload apart, and reports whether it does.
func LargeName(key string) (name string, apart bool) {
	tail := keyTail(key)
	return tail, strings.Contains(tail, ".")
}

// keyTail is the id in a key, with the mark of a payload that is kept apart.
func keyTail(key string) string {
	at, err := parseKey(key)
	if err != nil {
		return ""
	}
	return at.tail
}

// payloadMark is a short hash, which differs between two payloads of one telling.
func payloadMark(p history.Payload) string {
	sum := sha256.Sum256(p)
	return hex.EncodeToString(sum[:6])
}

// keyID is an id as it stands in a key: itself if it is a GUID in the D or N
// form, as nearly all are; derived from it otherwise.
func keyID(id string) string {
	odd := strings.ContainsFunc(id, func(r rune) bool { return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'f') })
	if odd || len(id) > 36 {
		return GUID("telling", id)
	}
	return id
}

// inboxKey is a parsed key of an inbox row.
type inboxKey struct {
	kind      byte
	due, sent time.Time
	sequence  int64
	tail      string
}

func parseKey(key string) (k inboxKey, err error) {
	bad := fmt.Errorf("%q is not the key of an inbox row", key)
	if key == "" || key[0] < keyControl || key[0] > keyScheduled {
		return k, bad
	}
	k.kind = key[0]
	parts := strings.SplitN(key[1:], "-", 4)
	if k.kind != keyScheduled {
		parts = append([]string{"0"}, strings.SplitN(key[1:], "-", 3)...)
	}
	if len(parts) != 4 || parts[3] == "" {
		return k, bad
	}
	var numbers [3]uint64
	for i := range numbers {
		if numbers[i], err = strconv.ParseUint(parts[i], 16, 64); err != nil {
			return k, bad
		}
	}
	if k.kind == keyScheduled {
		k.due = fromTicks(numbers[0])
	}
	k.sent, k.sequence, k.tail = fromTicks(numbers[1]), int64(numbers[2]^1<<63), parts[3]
	return k, nil
}

func hex16(n uint64) string { return fmt.Sprintf("%016x", n) }

// epoch is the year 1 in seconds before 1970.
const epoch = 62135596800

// ticks are the units of 100 ns since the year 1, in which the store keeps times.
func ticks(t time.Time) uint64 {
	return uint64(t.Unix()+epoch)*1e7 + uint64(t.Nanosecond()/100)
}

func fromTicks(n uint64) time.Time {
	return time.Unix(int64(n/1e7)-epoch, int64(n%1e7)*100).UTC()
}
