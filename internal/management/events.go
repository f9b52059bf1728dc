package management

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// Bounds of a page of events.
const (
	defaultEvents = 10_000
	maxEvents     = 20_000
	// eventsBytes is the size from which on no further event is added.
	eventsBytes = 4 << 20
)

// event is one event of a history as it is stored, with short payloads.
type event struct {
	// Row counts from the first row of the execution.
	Row        uint64          `json:"row"`
	Type       string          `json:"type"`
	At         time.Time       `json:"at"`
	ID         *int32          `json:"id,omitempty"`
	TaskID     *int32          `json:"taskId,omitempty"`
	Name       string          `json:"name,omitempty"`
	Version    string          `json:"version,omitempty"`
	InstanceID string          `json:"instanceId,omitempty"`
	Status     string          `json:"status,omitempty"`
	FireAt     *time.Time      `json:"fireAt,omitempty"`
	Scheduled  *time.Time      `json:"scheduledStartTime,omitempty"`
	Input      *text           `json:"input,omitempty"`
	Result     *text           `json:"result,omitempty"`
	Reason     *text           `json:"reason,omitempty"`
	Failure    *failure        `json:"failure,omitempty"`
	Options    json.RawMessage `json:"options,omitempty"`
	// Began is when the attempt began whose result a TaskCompleted or TaskFailed is;
	// absent where the history does not have it.
	Began  *time.Time        `json:"began,omitempty"`
	Tags   map[string]string `json:"tags,omitempty"`
	Parent *parent           `json:"parent,omitempty"`
	Trace  string            `json:"traceParent,omitempty"`
	// Request is what an entity is asked for by an EventSent. The EventRaised with its id as
	// the name is the answer.
	Request *requested `json:"request,omitempty"`
}

// requested is a request to an entity.
type requested struct {
	ID string `json:"id"`
	// Operation is empty for a request for the lock.
	Operation string `json:"operation,omitempty"`
	Signal    bool   `json:"signal,omitempty"`
}

type failure struct {
	Type         string   `json:"type"`
	Message      string   `json:"message"`
	Stack        *text    `json:"stack,omitempty"`
	NonRetriable bool     `json:"isNonRetriable,omitempty"`
	Inner        *failure `json:"inner,omitempty"`
}

type parent struct {
	InstanceID string `json:"instanceId"`
	Name       string `json:"name"`
	TaskID     int32  `json:"taskId"`
}

// eventPage is a part of a history.
type eventPage struct {
	// Execution names the run of events: where it is another one than before,
	// the events that came before are void.
	Execution string  `json:"execution"`
	Events    []event `json:"events"`
	// Next is the row after the last event here.
	Next uint64 `json:"next"`
	// Stored is the row after the last event that is stored.
	Stored uint64 `json:"stored"`
}

// events answers GET instances/{id}/events: the stored events from a row on.
func (c *call) events(w http.ResponseWriter, r *http.Request) {
	from, top, err := c.eventRange()
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	h, from, err := c.currentFrom(r.Context(), from, top)
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	c.writeView(w, r, makeEventPage(h, from, top))
}

// currentFrom reads the history from a row on, or from its beginning where another
// execution than that of the request is there: at most so many events.
func (c *call) currentFrom(ctx context.Context, from uint64, most int) (*taskhub.History, uint64, error) {
	h, err := c.historyFrom(ctx, from, most)
	if err == nil && from > 0 && executionOf(h) != c.query.get("execution") {
		from = 0
		h, err = c.Client.HistoryPart(ctx, c.id, 0, most)
	}
	if err == nil && from == 0 && len(h.Events) == 0 {
		_, err = c.Client.Get(ctx, c.id) // none has begun, or there is none
	}
	return h, from, err
}

func (c *call) eventRange() (from uint64, top int, err error) {
	if from, err = c.row("from"); err != nil {
		return 0, 0, err
	}
	top, err = c.query.count("top", defaultEvents, maxEvents)
	return from, top, err
}

// row reads a parameter that counts the rows of an execution; 0 when there is
// none.
func (c *call) row(name string) (uint64, error) {
	value := c.query.get(name)
	if value == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(value, 10, 32)
	if err != nil {
		return 0, &parameterError{name, value, "the row of an event"}
	}
	return n, nil
}

// historyFrom reads the history from a row of the execution on that the request
// names, at most so many events. Where that is another one than is there, too much or
// nothing comes.
func (c *call) historyFrom(ctx context.Context, row uint64, most int) (*taskhub.History, error) {
	if row == 0 {
		return c.Client.HistoryPart(ctx, c.id, 0, most)
	}
	execution := c.query.get("execution")
	first, err := firstRow(execution)
	if err != nil {
		return nil, &parameterError{"execution", execution, "that of an earlier answer"}
	}
	return c.Client.HistoryPart(ctx, c.id, first+row, most)
}

// executionOf names the run of events of a history: the execution, its first row
// and its rewinds.
func executionOf(h *taskhub.History) string {
	return fmt.Sprintf("%s.%d.%d", h.Fence.ExecutionID, h.Fence.FirstRow, h.Fence.Rewinds)
}

// firstRow is the second part of what executionOf has made.
func firstRow(execution string) (uint64, error) {
	parts := strings.Split(execution, ".")
	if len(parts) < 3 {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseUint(parts[len(parts)-2], 10, 63)
}

func makeEventPage(h *taskhub.History, from uint64, top int) eventPage {
	page := eventPage{Execution: executionOf(h), Events: []event{}, Stored: h.Fence.NextRow - h.Fence.FirstRow, Next: from}
	size := 0
	for i, e := range h.Events {
		if i == top || size > eventsBytes {
			break
		}
		shown := eventOf(e)
		shown.Row = from + uint64(i)
		page.Events = append(page.Events, shown)
		page.Next = shown.Row + 1
		size += shown.size()
	}
	return page
}

func eventOf(e *history.Event) event {
	out := event{
		Type: e.Type.String(), At: e.Timestamp, Name: e.Name, Version: e.Version, InstanceID: e.InstanceID,
		FireAt: Moment(e.FireAt), Scheduled: Moment(e.ScheduledStart), Tags: e.Tags,
		Input: textOf(e.Input, previewBytes), Result: textOf(e.Result, previewBytes), Reason: textOf(e.Reason, previewBytes),
		Failure: failureOf(e.Failure, 0),
	}
	if e.ID != history.NoID {
		out.ID = &e.ID
	}
	out.ofEntity(e)
	if ends(e) || e.Type == history.TimerFired {
		out.TaskID = &e.TaskID
	}
	if e.Type == history.ExecutionCompleted || e.Type == history.ContinueAsNew {
		out.Status = e.Status.String()
	}
	if out.Began = Moment(history.Began(e)); out.Began == nil && json.Valid(e.Own.Options) {
		out.Options = json.RawMessage(e.Own.Options)
	}
	if e.Parent != nil {
		out.Parent = &parent{InstanceID: e.Parent.Instance.InstanceID, Name: e.Parent.Name, TaskID: e.Parent.TaskID}
	}
	if e.Trace != nil {
		out.Trace = e.Trace.TraceParent
	}
	return out
}

// ofEntity reads what was asked of an entity, or answered by one.
func (out *event) ofEntity(e *history.Event) {
	out.Request = requestOf(e)
	if history.IsAnswer(e) {
		if a, err := history.DecodeEntityAnswer(e.Input); err == nil {
			out.Failure = failureOf(a.Failure, 0)
		}
	}
}

// Bounds of a failure: what led to it, and its message.
const (
	maxCauses  = 8
	maxMessage = 8 << 10
)

func failureOf(f *history.FailureDetails, depth int) *failure {
	if f == nil || depth == maxCauses {
		return nil
	}
	message := f.ErrorMessage
	if len(message) > maxMessage {
		message = message[:maxMessage] + "..."
	}
	return &failure{Type: f.ErrorType, Message: message, Stack: textOf(f.StackTrace, maxMessage), NonRetriable: f.NonRetriable, Inner: failureOf(f.Inner, depth+1)}
}

// size is about how many bytes the event has as JSON.
func (out *event) size() int {
	size := 150 + len(out.Name) + len(out.InstanceID) + len(out.Options)
	for _, t := range []*text{out.Input, out.Result, out.Reason} {
		if t != nil && t.Text != nil {
			size += len(*t.Text)
		}
	}
	for f := out.Failure; f != nil; f = f.Inner {
		size += len(f.Message) + len(f.Type)
		if f.Stack != nil && f.Stack.Text != nil {
			size += len(*f.Stack.Text)
		}
	}
	return size
}

// eventPayload reads one text of the event in a row.
func (c *call) eventPayload(r *http.Request, of string) (history.Payload, error) {
	row, err := c.row("row")
	if err != nil {
		return nil, err
	}
	h, err := c.historyFrom(r.Context(), row, 1)
	if err != nil {
		return nil, err
	}
	if len(h.Events) == 0 || row > 0 && executionOf(h) != c.query.get("execution") {
		return nil, errNoPayload
	}
	e := h.Events[0]
	switch of {
	case "input":
		return present(e.Input)
	case "result":
		return present(e.Result)
	case "reason":
		return present(e.Reason)
	case "details":
		return present(e.Details)
	case "stack":
		if e.Failure == nil {
			return nil, errNoPayload
		}
		return present(e.Failure.StackTrace)
	}
	return nil, &parameterError{"of", of, "input, result, reason, details or stack"}
}
