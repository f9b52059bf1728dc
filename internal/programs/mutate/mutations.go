package main

import "github.com/durable-go/functions/internal/mutation"

// planted is a fault, and the kind of the programs that should find it.
type planted struct {
	mutation.Mutation
	kind string
}

// mutations are the planted faults.
var mutations = []planted{
	{
		kind: "waits", Mutation: mutation.Mutation{
			Name: "an event is dropped at continue-as-new", File: "internal/engine/next.go",
			Before: `n.events = append(n.events, e)`, After: `n.events = n.events[:len(n.events):len(n.events)]; _ = e`,
		},
	},
	{
		kind: "waits", Mutation: mutation.Mutation{
			Name: "of several events, continue-as-new keeps one", File: "internal/engine/next.go",
			Before: `if !i.next.DropEvents ||`, After: `if len(n.events) == 0 && !i.next.DropEvents ||`,
		},
	},
	{
		kind: "waits", Mutation: mutation.Mutation{
			Name: "the newest event is taken first", File: "internal/engine/events.go",
			Before: "a := queue[0]\n\tm.buffered[key] = queue[1:]", After: "a := queue[len(queue)-1]\n\tm.buffered[key] = queue[:len(queue)-1]",
		},
	},
	{
		kind: "waits", Mutation: mutation.Mutation{
			Name: "an event that was taken stays for continue-as-new", File: "internal/engine/events.go",
			Before: "m.order = slices.Delete(m.order, at, at+1)", After: "_ = at",
		},
	},
	{
		kind: "odd", Mutation: mutation.Mutation{
			Name: "names of events have a case", File: "internal/engine/events.go",
			Before: "return strings.ToLower(w.name)", After: "return w.name",
		},
	},
	{
		kind: "timeouts", Mutation: mutation.Mutation{
			Name: "a wait that timed out takes the next event", File: "internal/engine/events.go",
			Before: "w.task.rt.events.forget(w)\n\tif w.timer", After: "if w.timer",
		},
	},
	{
		kind: "calls", Mutation: mutation.Mutation{
			Name: "a retry too many", File: "internal/engine/retry.go",
			Before: "a.n >= a.policy.MaxAttempts", After: "a.n > a.policy.MaxAttempts",
		},
	},
	{
		kind: "calls", Mutation: mutation.Mutation{
			Name: "a retry too few", File: "internal/engine/retry.go",
			Before: "a.n >= a.policy.MaxAttempts", After: "a.n+1 >= a.policy.MaxAttempts",
		},
	},
	{
		kind: "calls", Mutation: mutation.Mutation{
			Name: "children of one program share an id", File: "internal/engine/calls.go",
			Before: `strconv.Itoa(int(rt.sequence))`, After: `strconv.Itoa(int(rt.sequence) / 2)`,
		},
	},
	{
		kind: "large", Mutation: mutation.Mutation{
			Name: "the custom status survives continue-as-new", File: "internal/engine/engine.go",
			Before: "t.CustomStatus, t.CustomStatusChanged = nil, true", After: "_ = t",
		},
	},
	{
		kind: "lifecycle", Mutation: mutation.Mutation{
			Name: "a suspended program goes on", File: "internal/engine/control.go",
			Before: "if i.suspended {\n\t\ti.delayed", After: "if false {\n\t\ti.delayed",
		},
	},
	{
		kind: "lifecycle", Mutation: mutation.Mutation{
			Name: "what came while it was suspended is lost", File: "internal/engine/control.go",
			Before: "i.delayed = append(i.delayed, e)", After: "_ = e",
		},
	},
	{
		kind: "lifecycle", Mutation: mutation.Mutation{
			Name: "what came while it was suspended is turned round", File: "internal/engine/control.go",
			Before: "i.delayed = append(i.delayed, e)", After: "i.delayed = append([]*history.Event{e}, i.delayed...)",
		},
	},
	{
		kind: "lifecycle", Mutation: mutation.Mutation{
			Name: "the reason of a termination is lost", File: "internal/engine/control.go",
			Before: "Status: history.Terminated, Result: history.ShownReason(e.Input),", After: "Status: history.Terminated,",
		},
	},
	{
		kind: "races", Mutation: mutation.Mutation{
			Name: "the last of several is the first", File: "durable/combine.go",
			Before: "if !yield(i, tasks[i])", After: "if !yield(len(tasks)-1-i, tasks[i])",
		},
	},
	{
		kind: "calls", Mutation: mutation.Mutation{
			Name: "the cause of a failure further down is lost", File: "durable/errors.go",
			Before: "d.Inner = innerDetails(task)", After: "_ = task",
		},
	},
	{
		kind: "starts", Mutation: mutation.Mutation{
			Name: "a finished instance is not replaced", File: "internal/client/reuse.go",
			Before: "case finished && s.reuse != RejectIfExists:", After: "case finished && s.reuse == TerminateAndReplace:",
		},
	},
	{
		kind: "rewinds", Mutation: mutation.Mutation{
			Name: "a rewind leaves failed children", File: "internal/client/rewind.go",
			Before: "case child.Status == history.Failed:", After: "case child.Status == history.Failed && child.Tags != nil:",
		},
	},
	{
		kind: "lifecycle", Mutation: mutation.Mutation{
			Name: "a restart forgets the input", File: "internal/client/restart.go",
			Before: "Version: row.Version, Input: row.Input, Tags", After: "Version: row.Version, Tags",
		},
	},
}
