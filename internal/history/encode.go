package history

// Names of the official classes that a message carries.
const (
	eventClass    = "DurableTask.Core.History."
	instanceClass = "DurableTask.Core.OrchestrationInstance"
	parentClass   = "DurableTask.Core.ParentInstance"
	failureClass  = "DurableTask.Core.FailureDetails"
	traceClass    = "DurableTask.Core.Tracing.DistributedTraceContext"
)

// AppendMessageEvent appends the event as it stands inside a queue message:
// with the $type of every object, but not of dictionaries, whose class names
// differ between the official runtimes.
func AppendMessageEvent(dst []byte, e *Event) []byte { return appendEvent(dst, e, true) }

// AppendAPI appends the event as the official history API shows it.
func AppendAPI(dst []byte, e *Event) []byte { return appendEvent(dst, e, false) }

// AppendAPIArray appends a whole history.
func AppendAPIArray(dst []byte, events []*Event) []byte {
	dst = append(dst, '[')
	for i, e := range events {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendAPI(dst, e)
	}
	return append(dst, ']')
}

func appendEvent(dst []byte, e *Event, typed bool) []byte {
	m := object(dst, typed)
	m.class(className(e.Type))
	switch e.Type {
	case ExecutionStarted:
		m.instance("OrchestrationInstance", e.Instance)
	case GenericEvent:
		m.payload("Data", e.Reason)
	}
	m.number("EventType", int64(e.Type))
	m.body(e)
	m.number("EventId", int64(e.ID))
	m.boolean("IsPlayed", e.Played)
	m.moment("Timestamp", e.Timestamp)
	return m.end()
}

func className(t Type) string {
	if t == GenericEvent {
		return eventClass + "GenericEvent"
	}
	return eventClass + t.String() + "Event"
}

// body writes the members of the event's type, in the official order.
func (m *members) body(e *Event) {
	switch e.Type {
	case ExecutionStarted:
		m.started(e)
	case ExecutionCompleted, ContinueAsNew:
		m.number("OrchestrationStatus", int64(e.Status))
		m.payload("Result", e.Result)
		m.failure("FailureDetails", e.Failure)
	case ExecutionTerminated:
		m.payload("Input", e.Input)
	case TaskScheduled:
		m.text("Name", e.Name)
		m.text("Version", e.Version)
		m.payload("Input", e.Input)
		m.trace("ParentTraceContext", e.Trace)
		m.tags("Tags", e.Tags)
	case TaskCompleted, SubOrchestrationInstanceCompleted:
		m.number("TaskScheduledId", int64(e.TaskID))
		m.payload("Result", e.Result)
	case TaskFailed, SubOrchestrationInstanceFailed:
		m.number("TaskScheduledId", int64(e.TaskID))
		m.payload("Reason", e.Reason)
		m.payload("Details", e.Details)
		m.failure("FailureDetails", e.Failure)
	case SubOrchestrationInstanceCreated:
		m.text("Name", e.Name)
		m.text("Version", e.Version)
		m.text("InstanceId", e.InstanceID)
		m.payload("Input", e.Input)
		m.orNull("ClientSpanId", e.Carried)
		m.tags("Tags", e.Tags)
	case TimerCreated:
		m.moment("FireAt", e.FireAt)
	case TimerFired:
		m.number("TimerId", int64(e.TaskID))
		m.moment("FireAt", e.FireAt)
	case EventSent:
		m.text("InstanceId", e.InstanceID)
		m.text("Name", e.Name)
		m.payload("Input", e.Input)
	case EventRaised:
		m.text("Name", e.Name)
		m.payload("Input", e.Input)
		m.trace("ParentTraceContext", e.Trace)
	case ExecutionSuspended, ExecutionResumed:
		m.payload("Reason", e.Reason)
	case ExecutionRewound:
		m.payload("Reason", e.Reason)
		m.orNull("ParentExecutionId", e.Carried)
		m.orNull("InstanceId", e.InstanceID)
		m.trace("ParentTraceContext", e.Trace)
	}
}

func (m *members) started(e *Event) {
	m.parent("ParentInstance", e.Parent)
	m.text("Name", e.Name)
	m.text("Version", e.Version)
	m.payload("Input", e.Input)
	m.tags("Tags", e.Tags)
	m.orNull("Correlation", e.Carried)
	m.trace("ParentTraceContext", e.Trace)
	m.momentOrNull("ScheduledStartTime", e.ScheduledStart)
	m.optional("Generation", e.Generation)
	m.boolean("GenerateNewTrace", false)
}

// nested writes a member whose value is an object.
func (m *members) nested(name string, write func(*members)) {
	m.name(name)
	inner := object(m.dst, m.typed)
	write(&inner)
	m.dst = inner.end()
}

func (m *members) instance(name string, ref InstanceRef) {
	m.nested(name, func(m *members) {
		m.class(instanceClass)
		m.text("InstanceId", ref.InstanceID)
		m.orNull("ExecutionId", ref.ExecutionID)
	})
}

func (m *members) parent(name string, p *Parent) {
	if p == nil {
		m.null(name)
		return
	}
	m.nested(name, func(m *members) {
		m.class(parentClass)
		m.text("Name", p.Name)
		m.instance("OrchestrationInstance", p.Instance)
		m.number("TaskScheduleId", int64(p.TaskID))
		m.text("Version", p.Version)
	})
}

func (m *members) trace(name string, t *TraceContext) {
	if t == nil {
		m.null(name)
		return
	}
	m.nested(name, func(m *members) {
		m.class(traceClass)
		m.text("TraceParent", t.TraceParent)
		m.orNull("TraceState", t.TraceState)
		m.orNull("Id", t.ID)
		m.orNull("SpanId", t.SpanID)
		m.momentOrNull("ActivityStartTime", t.Started)
	})
}

func (m *members) failure(name string, f *FailureDetails) {
	if f == nil {
		m.null(name)
		return
	}
	m.nested(name, func(m *members) {
		m.class(failureClass)
		m.text("ErrorType", f.ErrorType)
		m.text("ErrorMessage", f.ErrorMessage)
		m.payload("StackTrace", f.StackTrace)
		m.failure("InnerFailure", f.Inner)
		m.boolean("IsNonRetriable", f.NonRetriable)
		m.raw("Properties", f.Properties)
	})
}

func (m *members) tags(name string, tags map[string]string) {
	if tags == nil {
		m.null(name)
		return
	}
	m.name(name)
	m.dst = AppendTags(m.dst, tags)
}

// AppendFailure appends the official FailureDetails as the history API shows
// them; null for nil.
func AppendFailure(dst []byte, f *FailureDetails) []byte {
	return value(dst, func(m *members) { m.failure("x", f) })
}

// AppendTrace appends a trace context as the history API shows it; null for
// nil.
func AppendTrace(dst []byte, t *TraceContext) []byte {
	return value(dst, func(m *members) { m.trace("x", t) })
}

// value appends the value of the member "x" that write writes.
func value(dst []byte, write func(*members)) []byte {
	holder := members{first: true}
	write(&holder)
	return append(dst, holder.dst[len(`"x":`):]...)
}
