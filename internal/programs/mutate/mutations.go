package main

// mutation is a fault that is planted: in one file a text is replaced.
type mutation struct {
	name, file, before, after string
	// kind of the programs that should find it.
	kind string
}

// mutations are the planted faults.
var mutations = []mutation{
	{
		name: "an event is dropped at continue-as-new", kind: "waits", file: "internal/engine/next.go",
		before: `n.events = append(n.events, e)`, after: `n.events = n.events[:len(n.events):len(n.events)]; _ = e`,
	},
	{
		name: "of several events, continue-as-new keeps one", kind: "waits", file: "internal/engine/next.go",
		before: `if !i.next.DropEvents ||`, after: `if len(n.events) == 0 && !i.next.DropEvents ||`,
	},
	{
		name: "the newest event is taken first", kind: "waits", file: "internal/engine/events.go",
		before: "a := queue[0]\n\tm.buffered[key] = queue[1:]", after: "a := queue[len(queue)-1]\n\tm.buffered[key] = queue[:len(queue)-1]",
	},
	{
		name: "an event that was taken stays for continue-as-new", kind: "waits", file: "internal/engine/events.go",
		before: "m.order = slices.Delete(m.order, at, at+1)", after: "_ = at",
	},
	{
		name: "names of events have a case", kind: "odd", file: "internal/engine/events.go",
		before: "return strings.ToLower(w.name)", after: "return w.name",
	},
	{
		name: "a wait that timed out takes the next event", kind: "timeouts", file: "internal/engine/events.go",
		before: "w.task.rt.events.forget(w)\n\tif w.timer", after: "if w.timer",
	},
	{
		name: "a retry too many", kind: "calls", file: "internal/engine/retry.go",
		before: "a.n >= a.policy.MaxAttempts", after: "a.n > a.policy.MaxAttempts",
	},
	{
		name: "a retry too few", kind: "calls", file: "internal/engine/retry.go",
		before: "a.n >= a.policy.MaxAttempts", after: "a.n+1 >= a.policy.MaxAttempts",
	},
	{
		name: "children of one program share an id", kind: "calls", file: "internal/engine/calls.go",
		before: `strconv.Itoa(int(rt.sequence))`, after: `strconv.Itoa(int(rt.sequence) / 2)`,
	},
	{
		name: "the custom status survives continue-as-new", kind: "large", file: "internal/engine/engine.go",
		before: "t.CustomStatus, t.CustomStatusChanged = nil, true", after: "_ = t",
	},
	{
		name: "a suspended program goes on", kind: "lifecycle", file: "internal/engine/control.go",
		before: "if i.suspended {\n\t\ti.delayed", after: "if false {\n\t\ti.delayed",
	},
	{
		name: "what came while it was suspended is lost", kind: "lifecycle", file: "internal/engine/control.go",
		before: "i.delayed = append(i.delayed, e)", after: "_ = e",
	},
	{
		name: "what came while it was suspended is turned round", kind: "lifecycle", file: "internal/engine/control.go",
		before: "i.delayed = append(i.delayed, e)", after: "i.delayed = append([]*history.Event{e}, i.delayed...)",
	},
	{
		name: "the reason of a termination is lost", kind: "lifecycle", file: "internal/engine/control.go",
		before: "Status: history.Terminated, Result: history.ShownReason(e.Input),", after: "Status: history.Terminated,",
	},
	{
		name: "the last of several is the first", kind: "races", file: "durable/combine.go",
		before: "if !yield(i, tasks[i])", after: "if !yield(len(tasks)-1-i, tasks[i])",
	},
	{
		name: "the cause of a failure further down is lost", kind: "calls", file: "durable/errors.go",
		before: "d.Inner = innerDetails(task)", after: "_ = task",
	},
	{
		name: "a finished instance is not replaced", kind: "starts", file: "internal/client/reuse.go",
		before: "case finished && s.reuse != RejectIfExists:", after: "case finished && s.reuse == TerminateAndReplace:",
	},
	{
		name: "a rewind leaves failed children", kind: "rewinds", file: "internal/client/rewind.go",
		before: "case child.Status == history.Failed:", after: "case child.Status == history.Failed && child.Tags != nil:",
	},
	{
		name: "a restart forgets the input", kind: "lifecycle", file: "internal/client/restart.go",
		before: "Version: row.Version, Input: row.Input, Tags", after: "Version: row.Version, Tags",
	},
}
