package taskhub

import (
	"fmt"
	"hash/fnv"
	"regexp"
	"strconv"
	"strings"

	"github.com/durable-go/functions/internal/history"
)

var hubNames = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{2,44}$`)

// ValidHub checks the name of a task hub: it becomes part of the names of
// tables, queues and containers.
func ValidHub(name string) error {
	if !hubNames.MatchString(name) {
		return fmt.Errorf("%q is not a task hub name: it must be a letter followed by 2 to 44 letters or digits", name)
	}
	return nil
}

// ControlQueue is the queue of messages to the hub's orchestrations.
func ControlQueue(hub string) string { return strings.ToLower(hub) + "-control-00" }

// MaxPartitions is the most control queues that a sender of the official engine may
// assume.
const MaxPartitions = 16

// IsControlQueue reports whether a sender that assumes more partitions than there are
// may send messages to orchestrations of the hub on the queue: 01 to 15.
func IsControlQueue(hub, queue string) bool {
	number, ok := strings.CutPrefix(queue, strings.ToLower(hub)+"-control-")
	n, err := strconv.Atoi(number)
	return ok && err == nil && len(number) == 2 && n > 0 && n < MaxPartitions
}

// WorkItemQueue is the queue of the hub's activities.
func WorkItemQueue(hub string) string { return strings.ToLower(hub) + "-workitems" }

// HistoryTable and InstancesTable are the hub's tables.
func HistoryTable(hub string) string { return hub + "History" }

// InstancesTable is the table that clients read.
func InstancesTable(hub string) string { return hub + "Instances" }

// ValidInstanceID is [history.CheckInstanceID].
func ValidInstanceID(id string) error { return history.CheckInstanceID(id) }

var keyEscapes = map[rune]rune{'^': '^', '/': '0', '\\': '1', '#': '2', '?': '3'}

// EscapeKey makes a partition key of an instance id, as the official engine
// does.
func EscapeKey(id string) string {
	var b strings.Builder
	for _, r := range id {
		escape, special := keyEscapes[r]
		switch {
		case special:
			b.WriteRune('^')
			b.WriteRune(escape)
		case r < 0x20 || r >= 0x7f && r <= 0x9f:
			b.WriteRune('^')
			b.WriteRune(0xC0 + r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// UnescapeKey is the reverse of EscapeKey.
func UnescapeKey(key string) string {
	var b strings.Builder
	escaped := false
	for _, r := range key {
		switch {
		case !escaped && r == '^':
			escaped = true
			continue
		case escaped:
			b.WriteRune(unescape(r))
		default:
			b.WriteRune(r)
		}
		escaped = false
	}
	return b.String()
}

func unescape(r rune) rune {
	for plain, escape := range keyEscapes {
		if escape == r {
			return plain
		}
	}
	if r >= 0xC0 {
		return r - 0xC0
	}
	return r
}

// FirstRow is the number of the first history row of an instance whose started
// execution is the given one. The upper half is a hash of both, the lower half
// counts, also over continue-as-new.
//
// It depends on the execution so that a delete that comes late, meant for the
// rows of an execution that was purged since, does not meet those of the next
// one; and on the id because equal row keys in many partitions are slow in the
// emulator.
func FirstRow(id, execution string) uint64 {
	h := fnv.New32a()
	_, _ = fmt.Fprintf(h, "%d:%s%s", len(id), id, execution)
	return uint64(h.Sum32()>>1) << 32
}

// SameStart reports whether two row numbers count from the same [FirstRow].
func SameStart(a, b uint64) bool { return a>>32 == b>>32 }

// RowKey is the key of history row n: 16 upper-case hex digits.
func RowKey(n uint64) string { return fmt.Sprintf("%016X", n) }
