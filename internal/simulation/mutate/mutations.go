package main

import "github.com/durable-go/functions/internal/mutation"

const (
	drive     = "internal/orchestration/drive.go"
	finish    = "internal/orchestration/finish.go"
	instance  = "internal/orchestration/instance.go"
	load      = "internal/orchestration/load.go"
	look      = "internal/orchestration/look.go"
	next      = "internal/orchestration/next.go"
	receive   = "internal/orchestration/receive.go"
	row       = "internal/orchestration/row.go"
	children  = "internal/orchestration/children.go"
	custody   = "internal/lease/custody.go"
	leases    = "internal/lease/lease.go"
	request   = "internal/lease/request.go"
	deliver   = "internal/worker/deliver.go"
	unknown   = "internal/lease/unknown.go"
	histories = "internal/taskhub/memory/history.go"
	inboxes   = "internal/taskhub/memory/inbox.go"
	clients   = "internal/client/client.go"
	rows      = "internal/taskhub/azure/history.go"
	tellings  = "internal/taskhub/azure/inbox.go"

	entityLoad = "internal/entity/load.go"
	entityLook = "internal/entity/look.go"
	entityRow  = "internal/entity/row.go"
	entityPlan = "internal/entity/plan.go"
)

// mutations are the planted faults.
var mutations = []mutation.Mutation{
	{Name: "commits have no fence", File: histories, Before: `case stored.fence.ETag == c.Fence.ETag:`, After: `case true:`},
	{Name: "a row that is taken in stays in the inbox", File: histories, Before: `h.inboxes[c.InstanceID].remove(u.Takes)`, After: `_ = u`},
	{Name: "receipts of tellings mean nothing", File: inboxes, Before: `if _, told := in.receipts[receipt]; told {`, After: `if false {`},
	{Name: "an action under a late lease is left to nobody", File: drive, Before: `needed[id] || in.late[id] || in.isKept(id)`, After: `needed[id] || in.isKept(id)`},
	{Name: "a lease with running activities is let go", File: drive, Before: `all || needed[id] ||`, After: `all ||`},
	{Name: "effects go out before their turn is committed", File: instance, Before: `if in.mayWait() {`, After: `if len(in.x.draft.events) > 0 {`},
	{Name: "a message that came again is accepted by an old history", File: instance, Before: `if in.cameAgain(batch) {`, After: `if false {`},
	{Name: "an empty look ends a wake-up that came again", File: look, Before: `if len(b.rows) == 0 && in.x != nil && in.custody.LooksForOthers() {`, After: `if false {`},
	{Name: "wake-ups stay open after their look", File: look, Before: `in.custody.Close()`, After: `_ = now`},
	{Name: "what is told a rewound instance is dropped by an old reader", File: look, Before: `in.verifyNow(ctx); err != nil {
			return nil, err`, After: `in.verify(ctx); err != nil {
			return nil, err`},
	{Name: "what is told a start over an ended instance is dropped", File: look, Before: `in.x.ended() && row.Origins() == in.x.origin {`, After: `in.x.ended() {`},
	{Name: "a late result answers the rewound call", File: receive, Before: `return in.x.record.rewinds != nil && work != in.messageID("task", task)`, After: `return false`},
	{Name: "a rewind is not seen by who has the instance in memory", File: receive, Before: "case !in.x.ended():\n\t\treturn in.verify(ctx)", After: "case !in.x.ended():\n\t\treturn nil"},
	{Name: "a message is not recognised when it comes again", File: receive, Before: `case x.record.seen[m.Message.ID] || in.accepted(m.Message.ID):`, After: `case false:`},
	{Name: "the row takes a newer custom status back", File: row, Before: ` || r.custom != nil && !x.showsCustom()`, After: ``},
	{Name: "a rewound instance is shown as failed", File: row, Before: `if !changed && !x.row.reopened && (`, After: `if !changed && (`},
	{Name: "the row decides over the sentinel", File: row, Before: `if head.ETag != x.fence.ETag {`, After: `if head.ETag == "none" {`},
	{Name: "an end is shown before others have heard of it", File: finish, Before: `if err := in.payOwed(ctx); err != nil {`, After: `if err := error(nil); err != nil {`},
	{Name: "an execution that continues as new leaves what it owes", File: next, Before: `if err := in.sendOwed(ctx); err != nil {`, After: `if err := error(nil); err != nil {`},
	{Name: "a child is not known to be one's own", File: children, Before: `return p != nil && p.Instance == in.self() && p.TaskID == e.ID, nil`, After: `return p != nil && in.ID == "", nil`},
	{Name: "a lease has no end", File: leases, Before: `return l.k.Exec.Clock.Now().Before(until.Add(-l.k.margin()))`, After: `return true || until.IsZero()`},
	{Name: "a lease lasts as long as the host had hidden the message", File: leases, Before: `if !l.asked.IsZero() && l.asked.Before(until) {`, After: `if false {`},
	{Name: "a renewal with an old receipt ends the newer delivery", File: request, Before: `return (act == renewing || act == copying) && !l.over && l.have.PopReceipt != with`, After: `return false && with == ""`},
	{Name: "a wake-up counts as held when its time is over", File: custody, Before: "for _, l := range c.open {\n\t\tif l.Alive() {", After: "for _, l := range c.open {\n\t\tif l != nil {"},
	{Name: "a lease goes on that the host gives away", File: deliver, Before: `l.Forsake()`, After: `_ = l`},
	{Name: "a wake-up past its time is forgotten, and renewed all the same", File: custody, Before: `		l.GiveBack(delay)`, After: `		if l.Alive() {
			l.GiveBack(delay)
		}`},
	{Name: "what an entity has left to send is not sent after a crash", File: entityLoad, Before: `start.Timestamp, true`, After: `start.Timestamp, false`},
	{Name: "an entity that is in memory is the current one", File: entityLook, Before: `en.custody.LooksForOthers() {`, After: `false {`},
	{Name: "wake-ups of an entity stay open after their look", File: entityLook, Before: `en.custody.Close()`, After: `_ = now`},
	{Name: "others run within a critical section", File: entityPlan, Before: `case r.Section == "" && !free:`, After: `case false:`},
	{Name: "a lock is given after its release", File: entityPlan, Before: `case r.IsLock() && (voided[r.ID] || r.ID == section):`, After: `case r.IsLock() && r.ID == section:`},
	{Name: "the row of an entity is taken back by a process behind", File: entityRow, Before: `if en.row.late {`, After: `if false {`},
	{Name: "a name that another build knows fails at once", File: unknown, Before: `if d.Dequeued == 0 ||`, After: `if true ||`},
	{Name: "history that was read once is the current one", File: load, Before: `in.forgetExecution(purged(old, x))`, After: `in.forgetExecution(nil)`},
	{Name: "an empty page ends a list", File: clients, Before: `case len(page.Instances) > 0 || page.Token == "":`, After: `default:`},
	{Name: "a commit whose answer was lost counts as another's", File: rows, Before: `case stored.nonce == c.Nonce:`, After: `case false:`},
	{Name: "what is told again by another transaction is dropped with all of it", File: tellings, Before: `if err != nil || stored == batchMark(entries) {`, After: `if true {`},
}
