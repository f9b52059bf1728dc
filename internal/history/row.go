package history

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// column appends a nullable string column: an absent string has no column.
func (m *members) column(name string, value Payload) {
	if value != nil {
		m.payload(name, value)
	}
}

// columnText is column for strings of which empty means absent.
func (m *members) columnText(name, value string) {
	if value != "" {
		m.text(name, value)
	}
}

// columnTime appends a column of type Edm.DateTime.
func (m *members) columnTime(name string, t time.Time) {
	m.name(name)
	m.dst = append(m.dst, '"')
	m.dst = appendRowTime(m.dst, t)
	m.dst = append(m.dst, '"')
	m.name(name + "@odata.type")
	m.dst = append(m.dst, `"Edm.DateTime"`...)
}

func appendRowTime(dst []byte, t time.Time) []byte {
	return t.UTC().Truncate(100*time.Nanosecond).AppendFormat(dst, "2006-01-02T15:04:05.0000000Z")
}

// columnObject appends a column that holds the JSON text of an object, or the
// text "null".
func (m *members) columnObject(name string, write func(*members)) {
	holder := members{first: true}
	write(&holder)
	// holder is `"x":VALUE`; the column is the text of VALUE.
	value := holder.dst[len(`"x":`):]
	m.payload(name, Payload(value))
}

// AppendRow appends the event as an entity of the History table, with the
// official columns and their EDM types. The inputs of TaskScheduled and
// SubOrchestrationInstanceCreated are left out unless inputs is set.
func AppendRow(dst []byte, partitionKey, rowKey, executionID string, e *Event, inputs bool) []byte {
	return AppendRowApart(dst, partitionKey, rowKey, executionID, e, inputs, nil)
}

// AppendRowApart is AppendRow with texts that apart keeps somewhere else; nil
// keeps all in the row.
func AppendRowApart(dst []byte, partitionKey, rowKey, executionID string, e *Event, inputs bool, apart Apart) []byte {
	m := object(dst, false)
	m.apart = apart
	m.row(partitionKey, rowKey, executionID, e.Type, e, inputs)
	return m.end()
}

// InboxExecution is the ExecutionId of rows that no history has taken in yet:
// one that no execution has. Readers of a history stop at a row of another
// execution than the one they read.
const InboxExecution = "inbox"

// AppendInboxRow appends an event that waits to be taken into a history. Its
// columns are those of the history row that it becomes, but its ExecutionId is
// [InboxExecution], its EventType is GenericEvent, which official readers of
// every version know, and its own type is in GoEvent.
func AppendInboxRow(dst []byte, partitionKey, rowKey string, e *Event, apart Apart) []byte {
	m := object(dst, false)
	m.apart = apart
	m.row(partitionKey, rowKey, InboxExecution, GenericEvent, e, true)
	m.text("GoEvent", e.Type.String())
	return m.end()
}

// row appends the columns of an event, shown as the given type.
func (m *members) row(partitionKey, rowKey, executionID string, shown Type, e *Event, inputs bool) {
	m.text("PartitionKey", partitionKey)
	m.text("RowKey", rowKey)
	m.rowBody(e, inputs)
	m.number("EventId", int64(e.ID))
	m.boolean("IsPlayed", e.Played)
	m.columnTime("_Timestamp", e.Timestamp)
	m.text("EventType", shown.String())
	m.text("ExecutionId", executionID)
	m.own(e)
}

func (m *members) own(e *Event) {
	m.columnText("GoLease", e.Own.Lease)
	m.columnText("GoMessage", e.Own.Message)
	if e.Own.InputHash != 0 {
		m.text("GoInputHash", strconv.FormatUint(e.Own.InputHash, 16))
	}
	m.column("GoOptions", e.Own.Options)
	if e.Semantics != 0 {
		m.number("GoSemantics", int64(e.Semantics))
	}
}

func (m *members) rowBody(e *Event, inputs bool) {
	switch e.Type {
	case ExecutionStarted:
		m.rowStarted(e)
	case ExecutionCompleted, ContinueAsNew:
		m.text("OrchestrationStatus", e.Status.String())
		m.column("Result", e.Result)
		m.columnObject("FailureDetails", func(m *members) { m.failure("x", e.Failure) })
	case ExecutionTerminated:
		m.column("Input", e.Input)
	case TaskScheduled, SubOrchestrationInstanceCreated:
		m.rowScheduled(e, inputs)
	case TaskCompleted, SubOrchestrationInstanceCompleted:
		m.number("TaskScheduledId", int64(e.TaskID))
		m.column("Result", e.Result)
	case TaskFailed, SubOrchestrationInstanceFailed:
		m.number("TaskScheduledId", int64(e.TaskID))
		m.column("Reason", e.Reason)
		m.column("Details", e.Details)
		m.columnObject("FailureDetails", func(m *members) { m.failure("x", e.Failure) })
	case TimerCreated:
		m.columnTime("FireAt", e.FireAt)
	case TimerFired:
		m.number("TimerId", int64(e.TaskID))
		m.columnTime("FireAt", e.FireAt)
	case EventSent:
		m.text("InstanceId", e.InstanceID)
		m.text("Name", e.Name)
		m.column("Input", e.Input)
	case EventRaised:
		m.text("Name", e.Name)
		m.column("Input", e.Input)
		m.columnObject("ParentTraceContext", func(m *members) { m.trace("x", e.Trace) })
	case ExecutionSuspended, ExecutionResumed:
		m.column("Reason", e.Reason)
	case ExecutionRewound:
		m.column("Reason", e.Reason)
		m.columnText("ParentExecutionId", e.Carried)
		m.columnText("InstanceId", e.InstanceID)
		m.columnObject("ParentTraceContext", func(m *members) { m.trace("x", e.Trace) })
	case GenericEvent:
		m.column("Data", e.Reason)
	}
}

func (m *members) rowStarted(e *Event) {
	m.columnObject("ParentInstance", func(m *members) { m.parent("x", e.Parent) })
	m.text("Name", e.Name)
	m.text("Version", e.Version)
	m.column("Input", e.Input)
	m.columnObject("Tags", func(m *members) { m.tags("x", e.Tags) })
	m.columnText("Correlation", e.Carried)
	m.columnObject("ParentTraceContext", func(m *members) { m.trace("x", e.Trace) })
	if !e.ScheduledStart.IsZero() {
		m.columnTime("ScheduledStartTime", e.ScheduledStart)
	}
	if e.Generation != nil {
		m.number("Generation", int64(*e.Generation))
	}
	m.boolean("GenerateNewTrace", false)
	m.columnObject("OrchestrationInstance", func(m *members) { m.instance("x", e.Instance) })
}

func (m *members) rowScheduled(e *Event, inputs bool) {
	m.text("Name", e.Name)
	m.text("Version", e.Version)
	if inputs {
		m.column("Input", e.Input)
	}
	if e.Type == TaskScheduled {
		m.columnObject("ParentTraceContext", func(m *members) { m.trace("x", e.Trace) })
	} else {
		m.text("InstanceId", e.InstanceID)
		m.columnText("ClientSpanId", e.Carried)
	}
	m.columnObject("Tags", func(m *members) { m.tags("x", e.Tags) })
}

// wireRow is a row as the table service answers it. Complex columns are texts.
type wireRow struct {
	PartitionKey, RowKey, ExecutionId, EventType string
	EventId                                      *int32
	IsPlayed                                     bool
	Timestamp                                    moment `json:"_Timestamp"`
	Name, Version                                string
	Input, Result, Reason, Details, Data         *string
	FailureDetails, ParentInstance, Tags         string
	ParentTraceContext, OrchestrationInstance    string
	OrchestrationStatus                          string
	FireAt, ScheduledStartTime                   moment
	TaskScheduledId, TimerId                     *int32
	InstanceId, ParentExecutionId                string
	Generation                                   *int32
	Correlation, ClientSpanId                    string
	GoLease, GoMessage, GoInputHash, GoEvent     string
	GoOptions                                    *string
	GoSemantics                                  int32
}

// Row says where in the table an event was.
type Row struct{ RowKey, ExecutionID string }

// DecodeRow reads an entity of the History table. Unknown columns are ignored.
// The error is an [UnreadableError].
func DecodeRow(raw []byte) (*Event, Row, error) { return DecodeRowApart(raw, nil) }

// DecodeRowApart is DecodeRow for a row whose RowBlobs were read: texts are
// theirs, by column.
func DecodeRowApart(raw []byte, texts map[string]Payload) (*Event, Row, error) {
	var w wireRow
	if err := json.Unmarshal(raw, &w); err != nil {
		return nil, Row{}, undecodable(raw, err)
	}
	if texts != nil {
		w.insert(texts)
	}
	at := Row{RowKey: w.RowKey, ExecutionID: w.ExecutionId}
	e, err := w.event()
	if err != nil {
		return nil, at, inRow(err, w.RowKey)
	}
	if texts != nil {
		e.takeOver(texts)
	}
	return e, at, nil
}

func (w *wireRow) event() (*Event, error) {
	shown := w.EventType
	if w.GoEvent != "" {
		shown = w.GoEvent
	}
	t, err := ParseType(shown)
	if err != nil {
		return nil, wrong("EventType", "is not one that this engine knows", err)
	}
	if column := w.missing(t); column != "" {
		return nil, wrong(column, "is missing in a row of "+t.String(), nil)
	}
	e := &Event{
		Type: t, ID: NoID, Played: w.IsPlayed, Timestamp: w.Timestamp.Time, Name: w.Name, Version: w.Version,
		Input: text(w.Input), Result: text(w.Result), Reason: text(w.Reason), Details: text(w.Details),
		TaskID: number(w.TaskScheduledId), FireAt: w.FireAt.Time, InstanceID: w.InstanceId,
		ScheduledStart: w.ScheduledStartTime.Time, Generation: w.Generation,
		Carried: carried(t, w.Correlation, w.ClientSpanId, w.ParentExecutionId),
		Own:     Own{Lease: w.GoLease, Message: w.GoMessage, Options: text(w.GoOptions)}, Semantics: w.GoSemantics,
	}
	if w.EventId != nil {
		e.ID = *w.EventId
	}
	if w.GoInputHash != "" {
		if e.Own.InputHash, err = strconv.ParseUint(w.GoInputHash, 16, 64); err != nil {
			return nil, wrong("GoInputHash", "is no hash", err)
		}
	}
	switch t {
	case TimerFired:
		e.TaskID = number(w.TimerId)
	case GenericEvent:
		// A row that a rewind made generic has no data, but its reason.
		if w.Data != nil {
			e.Reason = text(w.Data)
		}
	case ExecutionCompleted, ContinueAsNew:
		if e.Status, err = ParseStatus(w.OrchestrationStatus); err != nil {
			return nil, wrong("OrchestrationStatus", "is not one that this engine knows", err)
		}
	}
	return e, w.objects(e)
}

func number(n *int32) int32 {
	if n == nil {
		return 0
	}
	return *n
}

// missing is a column without which an event of its type means nothing; empty when
// all of them are there.
func (w *wireRow) missing(t Type) string {
	switch t {
	case TaskScheduled, TimerCreated, SubOrchestrationInstanceCreated, EventSent:
		if number(w.EventId) < 0 || w.EventId == nil {
			return "EventId"
		}
	case TaskCompleted, TaskFailed, SubOrchestrationInstanceCompleted, SubOrchestrationInstanceFailed:
		if w.TaskScheduledId == nil {
			return "TaskScheduledId"
		}
	case TimerFired:
		if w.TimerId == nil {
			return "TimerId"
		}
	case ExecutionStarted:
		if w.Name == "" {
			return "Name"
		}
	}
	return ""
}

// objects decodes the columns that hold JSON texts.
func (w *wireRow) objects(e *Event) error {
	var failure *wireFailure
	var parent *wireParent
	var trace *wireTrace
	var instance wireInstance
	for _, column := range []struct {
		name, text string
		into       any
	}{
		{"FailureDetails", w.FailureDetails, &failure}, {"ParentInstance", w.ParentInstance, &parent},
		{"ParentTraceContext", w.ParentTraceContext, &trace}, {"OrchestrationInstance", w.OrchestrationInstance, &instance},
	} {
		if column.text == "" || column.text == "null" {
			continue
		}
		if err := json.Unmarshal([]byte(column.text), column.into); err != nil {
			return wrong(column.name, "holds no JSON of its kind", err)
		}
	}
	tags, err := ParseTags([]byte(w.Tags))
	if err != nil {
		return wrong("Tags", "holds no JSON of its kind", err)
	}
	e.Failure, e.Parent, e.Trace, e.Instance, e.Tags = failure.details(), parent.parent(), trace.trace(), instance.ref(), tags
	return nil
}

// AppendParent appends the JSON of a parent as the column ParentInstance has it.
func AppendParent(dst []byte, p *Parent) []byte {
	holder := members{first: true}
	holder.parent("x", p)
	return append(dst, holder.dst[len(`"x":`):]...)
}

// ParseParent reads what [AppendParent] wrote. nil for an empty text and for
// null.
func ParseParent(text []byte) (*Parent, error) {
	if len(text) == 0 {
		return nil, nil
	}
	var w *wireParent
	if err := json.Unmarshal(text, &w); err != nil {
		return nil, fmt.Errorf("decoding parent: %w", err)
	}
	return w.parent(), nil
}
