package management

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// projection shows a history as the official API does: without the frame of
// the turns, and with each action that has ended merged into its end.
type projection struct {
	dst []byte
	// input and output say whether inputs and results are shown.
	input, output bool
	// scheduled are the actions that may end, by id.
	scheduled map[int32]*history.Event
	ended     map[int32]bool
}

// History is the array historyEvents of the API, with inputs and results.
func History(events []*history.Event) []byte { return appendHistory(nil, events, true, true) }

// appendHistory appends the array of the events.
func appendHistory(dst []byte, events []*history.Event, input, output bool) []byte {
	dst, _ = appendHistoryPage(dst, events, input, output, 0, math.MaxInt)
	return dst
}

// appendHistoryPage appends the array of the events from a place on, and no further
// one once it has so many bytes. next is the place of the one that comes then; 0: none
// does.
func appendHistoryPage(dst []byte, events []*history.Event, input, output bool, from, most int) (page []byte, next int) {
	p := &projection{dst: append(dst, '['), input: input, output: output, scheduled: map[int32]*history.Event{}, ended: map[int32]bool{}}
	for _, e := range events {
		if ends(e) {
			p.ended[e.TaskID] = true
		}
	}
	begin := len(p.dst)
	for i, e := range events {
		if starts(e) {
			p.scheduled[e.ID] = e
		}
		if i < from || p.hidden(e) {
			continue
		}
		if len(p.dst)-begin >= most {
			return append(p.dst, ']'), i
		}
		if len(p.dst) > begin {
			p.dst = append(p.dst, ',')
		}
		p.event(e)
	}
	return append(p.dst, ']'), 0
}

func starts(e *history.Event) bool {
	return e.Type == history.TaskScheduled || e.Type == history.SubOrchestrationInstanceCreated
}

func ends(e *history.Event) bool {
	switch e.Type {
	case history.TaskCompleted, history.TaskFailed, history.SubOrchestrationInstanceCompleted, history.SubOrchestrationInstanceFailed:
		return true
	}
	return false
}

func (p *projection) hidden(e *history.Event) bool {
	switch e.Type {
	case history.OrchestratorStarted, history.OrchestratorCompleted:
		return true
	}
	return starts(e) && p.ended[e.ID]
}

func (p *projection) event(e *history.Event) {
	p.dst = append(p.dst, '{')
	if e.Type == history.GenericEvent {
		data := e.Reason
		if strings.HasPrefix(string(data), "Rewound: ") {
			// A row that a rewind has changed has a reason and no data.
			data = nil
		}
		p.text("Data", data)
		p.dst = append(p.dst, ',')
	}
	p.dst = append(append(append(p.dst, `"EventType":"`...), e.Type.String()...), '"')
	p.members(e)
	p.time("Timestamp", e.Timestamp, "Z")
	switch {
	case e.Type == history.ExecutionStarted:
		p.name("FunctionName", e.Name)
	case ends(e):
		p.action(p.scheduled[e.TaskID])
	}
	p.dst = append(p.dst, '}')
}

// action appends what an end shows of its beginning. A history that was cut
// has none.
func (p *projection) action(from *history.Event) {
	if from == nil {
		return
	}
	p.time("ScheduledTime", from.Timestamp, "+00:00")
	p.name("FunctionName", from.Name)
	if from.Type == history.SubOrchestrationInstanceCreated {
		p.name("InstanceId", from.InstanceID)
	}
	p.inputText(from.Input)
}

// members appends what an event of its type has between type and time.
func (p *projection) members(e *history.Event) {
	switch e.Type {
	case history.ExecutionStarted:
		p.started(e)
	case history.ExecutionCompleted, history.ContinueAsNew:
		p.name("OrchestrationStatus", e.Status.String())
		p.result(e.Result)
		p.failure(e.Failure)
	case history.ExecutionTerminated:
		p.inputText(e.Input)
	case history.TaskScheduled:
		p.name("Name", e.Name)
		p.inputText(e.Input)
	case history.TaskCompleted, history.SubOrchestrationInstanceCompleted:
		p.result(e.Result)
	case history.TaskFailed, history.SubOrchestrationInstanceFailed:
		p.member("Reason", e.Reason)
		p.member("Details", e.Details)
		p.failure(e.Failure)
	case history.SubOrchestrationInstanceCreated:
		p.name("Name", e.Name)
		p.name("InstanceId", e.InstanceID)
		p.inputText(e.Input)
	case history.TimerCreated, history.TimerFired:
		p.time("FireAt", e.FireAt, "Z")
	case history.EventSent:
		p.name("InstanceId", e.InstanceID)
		p.name("Name", e.Name)
		p.inputText(e.Input)
	case history.EventRaised:
		p.name("Name", e.Name)
		p.inputText(e.Input)
		p.trace(e.Trace)
	case history.ExecutionSuspended, history.ExecutionResumed, history.ExecutionRewound:
		p.member("Reason", e.Reason)
	}
}

func (p *projection) started(e *history.Event) {
	p.inputText(e.Input)
	p.nameOrNull("Correlation", e.Carried)
	p.trace(e.Trace)
	if e.ScheduledStart.IsZero() {
		p.raw("ScheduledStartTime", "null")
	} else {
		p.time("ScheduledStartTime", e.ScheduledStart, "Z")
	}
	if e.Generation == nil {
		p.raw("Generation", "null")
	} else {
		p.raw("Generation", strconv.Itoa(int(*e.Generation)))
	}
	p.raw("GenerateNewTrace", "false")
}

// inputText appends an input: a JSON text within a string, as recorded.
func (p *projection) inputText(input history.Payload) {
	if p.input {
		p.member("Input", input)
	}
}

// result appends a result as JSON.
func (p *projection) result(result history.Payload) {
	if p.output {
		p.dst = appendValue(append(p.dst, `,"Result":`...), result)
	}
}

func (p *projection) failure(f *history.FailureDetails) {
	p.dst = history.AppendFailure(append(p.dst, `,"FailureDetails":`...), f)
}

func (p *projection) trace(t *history.TraceContext) {
	p.dst = history.AppendTrace(append(p.dst, `,"ParentTraceContext":`...), t)
}

func (p *projection) member(name string, value history.Payload) {
	p.dst = append(p.dst, ',')
	p.text(name, value)
}

func (p *projection) text(name string, value history.Payload) {
	p.dst = append(append(append(p.dst, '"'), name...), `":`...)
	if value == nil {
		p.dst = append(p.dst, "null"...)
		return
	}
	p.dst = history.AppendString(p.dst, value)
}

func (p *projection) name(name, value string) {
	p.dst = append(append(append(p.dst, `,"`...), name...), `":`...)
	p.dst = history.AppendString(p.dst, value)
}

func (p *projection) nameOrNull(name, value string) {
	if value == "" {
		p.raw(name, "null")
		return
	}
	p.name(name, value)
}

func (p *projection) raw(name, value string) {
	p.dst = append(append(append(append(p.dst, `,"`...), name...), `":`...), value...)
}

// time appends a time with at most seven digits of a second and the zone as it
// is written there.
func (p *projection) time(name string, t time.Time, zone string) {
	p.dst = append(append(append(p.dst, `,"`...), name...), `":"`...)
	p.dst = t.UTC().Truncate(100*time.Nanosecond).AppendFormat(p.dst, "2006-01-02T15:04:05.9999999")
	p.dst = append(append(p.dst, zone...), '"')
}
