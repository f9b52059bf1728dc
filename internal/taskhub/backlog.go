package taskhub

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// MaxWaiting is how many events that are not waited for an instance may have where
// no setting says otherwise.
const MaxWaiting = 10_000

// MaxWaitingBytes is how many bytes the data of such events may have, where one
// payload may have so many: at least 64 MiB, and four of the largest.
func MaxWaitingBytes(maxPayload int) int { return max(64<<20, 4*maxPayload) }

// Crowded is the [ErrBacklog] of an instance for which so many events wait, with so
// many bytes of data.
func Crowded(waiting, bytes int) error {
	return fmt.Errorf("%w: %d, of %d bytes, have been raised that it has not taken (maxWaitingEvents)", ErrBacklog, waiting, bytes)
}

// maxBacklog is the longest text of a [Backlog], in bytes.
const maxBacklog = 8 << 10

// Backlog is what the row of an instance has while too many events wait for it: the
// names, in any case, of those that its code waits for, which it still takes. It is
// empty, and the instance takes every event, where there are so many names that the
// row has no room for them.
func Backlog(waitedFor []string) string {
	if waitedFor == nil {
		waitedFor = []string{}
	}
	text, err := json.Marshal(waitedFor)
	if err != nil || len(text) > maxBacklog {
		return ""
	}
	return string(text)
}

// Refuses reports whether too many events wait for the instance and its code does
// not wait for one of the name.
func (i *Instance) Refuses(event string) bool {
	var names []string
	if i.Backlog == "" || json.Unmarshal([]byte(i.Backlog), &names) != nil {
		return false
	}
	return !slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, event) })
}

// CrowdPause is how long a store that has counted too many events of an instance may
// refuse others without counting again.
const CrowdPause = time.Second

// Size is how many bytes of payload the row was read with.
func (r *InboxRow) Size() int {
	if r.Err != nil || r.Telling.Event == nil {
		return 0
	}
	return len(r.Telling.Event.Input) + len(r.Telling.Event.Reason)
}

// Cut leaves out the rows from the given place on: they were not read.
func (in *Inbox) Cut(at int) {
	if at < len(in.Rows) {
		in.Rows, in.More, in.NextDue = in.Rows[:at], true, time.Time{}
	}
}
