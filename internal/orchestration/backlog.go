package orchestration

import "github.com/durable-go/functions/internal/taskhub"

// backlog is what the instance row is to tell those who raise events: the names that
// the code waits for, while too many others wait for it; else it is empty.
func (in *Instance) backlog() string {
	if in.x.ended() {
		return ""
	}
	events, bytes := in.x.eng.Unused()
	if !tooMany(events, in.MaxWaiting, in.x.row.backlog != "") &&
		!tooMany(bytes, taskhub.MaxWaitingBytes(in.MaxPayload), in.x.row.backlog != "") {
		return ""
	}
	return taskhub.Backlog(in.x.eng.WaitsFor())
}

// tooMany reports whether n is at the limit. Where it was, it stays so until a quarter
// is gone: the row is not written with every event.
func tooMany(n, limit int, was bool) bool {
	if was {
		limit -= limit / 4
	}
	return n >= limit
}
