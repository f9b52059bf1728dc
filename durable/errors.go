package durable

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/entity"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// What callers of a Client may test with errors.Is.
var (
	// ErrNotFound: there is no such instance.
	ErrNotFound = taskhub.ErrNotFound
	// ErrAlreadyExists: an instance of that id has not finished yet, or is there
	// and must not be replaced (RejectIfExists).
	ErrAlreadyExists = client.ErrExists
	// ErrInvalidInstanceID: the id breaks the rules for instance ids.
	ErrInvalidInstanceID = client.ErrInvalidInstanceID
	// ErrTooLarge: the input is larger than a task hub stores.
	ErrTooLarge = taskhub.ErrTooLarge
	// ErrInvalidEventName: the name of an event is empty or too long.
	ErrInvalidEventName = client.ErrInvalidEventName
	// ErrBacklog: as many events as one instance may have waiting wait for it
	// already (maxWaitingEvents in host.json), and its code does not wait for one of
	// the name. The event was not stored; it can be raised again later.
	ErrBacklog = taskhub.ErrBacklog
	// ErrInvalidToken: the text is not a token of Client.ListPage.
	ErrInvalidToken = taskhub.ErrToken
	// ErrNoTaskHub: the task hub does not exist or is being deleted, or the storage
	// account does not exist. An app makes its hub when it starts; a client waits
	// for none.
	ErrNoTaskHub = taskhub.ErrNoHub
	// ErrUnknownOrchestrator: the app has no orchestrator of that name.
	ErrUnknownOrchestrator = errors.New("unknown orchestrator")
	// ErrUnknownEntity: the app has no entity of that name; ErrUnknownOperation: the
	// entity has no operation of that name. The error names the known ones.
	ErrUnknownEntity    = errors.New("unknown entity")
	ErrUnknownOperation = errors.New("unknown operation of an entity")
	// ErrLockingRules: a call breaks one of the rules of critical sections.
	ErrLockingRules = errors.New("the rules of critical sections")
	// ErrLockLost: the critical section does not hold its lock any more, because the
	// instance had ended and was rewound.
	ErrLockLost = errors.New("the lock of the critical section is lost")
)

// What a *StateError says.
var (
	// ErrFinished: the instance has ended, and the operation is for others.
	ErrFinished = client.ErrFinished
	// ErrNotFinished: the operation is for instances that have ended.
	ErrNotFinished = client.ErrNotFinished
	// ErrNotFailed: only failed instances are rewound.
	ErrNotFailed = client.ErrNotFailed
	// ErrSuspended: the instance is suspended already.
	ErrSuspended = client.ErrSuspended
	// ErrNotSuspended: only suspended instances are resumed.
	ErrNotSuspended = client.ErrNotSuspended
)

// What orchestrators may test with errors.Is.
var (
	// ErrTimeout: an event did not come in time.
	ErrTimeout error = engine.ErrTimeout
	// ErrCanceled: the timer was cancelled.
	ErrCanceled = engine.ErrCanceled
)

// Why the context of an activity ended: context.Cause(ctx) is one of these,
// context.DeadlineExceeded after WithTimeout, or the cause that the activity
// gave a context of its own.
var (
	// ErrTerminated: the orchestration was terminated.
	ErrTerminated = activity.ErrTerminated
	// ErrAbandoned: the orchestration goes on, or has ended, without the result:
	// it returned, failed or continued as new.
	ErrAbandoned = activity.ErrAbandoned
	// ErrPurged: the orchestration was purged, or another took its place.
	ErrPurged = activity.ErrPurged
	// ErrShutdown: the app is being stopped. The call runs again, here or in
	// another process, unless it still ends well.
	ErrShutdown = activity.ErrShutdown
	// ErrLeaseLost: this process lost the right to run the call, which runs again.
	ErrLeaseLost = activity.ErrLost
)

// TaskError is how a failed activity, Step, child or operation of an entity looks to
// the orchestrator, or the client, that called it. errors.Is and errors.As find errors whose types or values
// were registered with RegisterError and RegisterErrorValue on both sides.
type TaskError struct {
	// Activity is the name of the activity or Step; empty for a child.
	Activity string
	// Orchestrator is the name of the child; empty for an activity.
	Orchestrator string
	// Entity is the id of the entity that was called, such as @account@alice, and
	// Operation what was asked of it; empty for activities and children.
	Entity, Operation string
	// InstanceID is the orchestration that called.
	InstanceID string
	// Attempt is the number of the call that failed last, from 1; 0 where a timeout
	// ended the call.
	Attempt int
	// Type is the Go type of the error, or the name under which it was
	// registered; "panic" for a panic.
	Type string
	// Message is the text of the error; that of a panic ends with the place in
	// the user's code, such as "(orders/pay.go:41)".
	Message string
	// Stack is the stack of a panic, else empty.
	Stack string
	// Cause is the error as far as it could be made again: a registered one, the
	// *TaskError of a call further down, or several of these; else nil.
	Cause error
}

// Error says what failed and why.
func (e *TaskError) Error() string {
	if e.Orchestrator != "" {
		return fmt.Sprintf("Orchestrator function '%s' failed: %s", e.Orchestrator, e.Message)
	}
	if e.Entity != "" {
		return fmt.Sprintf("Operation '%s' of entity '%s' failed: %s", e.Operation, e.Entity, e.Message)
	}
	return fmt.Sprintf("Activity function '%s' failed: %s", e.Activity, e.Message)
}

// Unwrap returns Cause.
func (e *TaskError) Unwrap() error { return e.Cause }

// source says what a task is of.
type source struct {
	kind sourceKind
	name string
}

type sourceKind int

const (
	activityCall sourceKind = iota
	childCall
	eventWait
	timerWait
	branchRun
	entityCall
)

func (s source) String() string {
	if s.kind == entityCall {
		id, operation := s.entity()
		return fmt.Sprintf("operation %q of entity %q", operation, id)
	}
	return [...]string{"activity", "sub-orchestration", "event", "timer", "branch"}[s.kind] + fmt.Sprintf(" %q", s.name)
}

// gives names what the task has when it succeeds.
func (s source) gives() string {
	if s.kind == eventWait {
		return "data"
	}
	return "result"
}

// failed makes the error of a task from what the history says. Errors that
// never were in a history stay as they are.
func (s source) failed(err error, instance string) error {
	failure, recorded := err.(*engine.Failure)
	switch {
	case !recorded && s.kind == eventWait && errors.Is(err, ErrTimeout):
		return fmt.Errorf("%v: %w", s, err) // which event, for those who read the log
	case !recorded:
		return err
	}
	d := failure.Details
	if d == nil {
		d = &history.FailureDetails{ErrorType: "error", ErrorMessage: failure.Reason}
	}
	e := &TaskError{InstanceID: instance, Attempt: max(failure.Attempt, 1), Type: d.ErrorType, Message: d.ErrorMessage, Stack: string(d.StackTrace), Cause: causeOf(d, "")}
	switch s.kind {
	case childCall:
		e.Orchestrator = s.name
	case entityCall:
		e.Entity, e.Operation = s.entity()
	default:
		e.Activity = s.name
	}
	e.Cause = cmp.Or(e.Cause, engineError(d, s.kind == entityCall))
	return e
}

// engineError is the error that the engine made of a call, of an entity or not; nil
// where user code made it.
func engineError(d *history.FailureDetails, ofEntity bool) error {
	if known := entityErrors[d.ErrorType]; ofEntity || known == ErrLockingRules {
		return known
	}
	return nil
}

// entitySource is the name of the source of a call of an entity.
func entitySource(id EntityID, operation string) string { return id.String() + "\x00" + operation }

// entity are the id of the entity and the operation of a call.
func (s source) entity() (id, operation string) {
	id, operation, _ = strings.Cut(s.name, "\x00")
	return id, operation
}

// entityErrors are the errors that the engine makes of calls of entities.
var entityErrors = map[string]error{
	entity.UnknownEntity: ErrUnknownEntity, entity.UnknownOperation: ErrUnknownOperation, entity.TooLarge: ErrTooLarge,
	engine.LockingRules: ErrLockingRules, entity.LockLost: ErrLockLost,
}

// properties are what FailureDetails.Properties holds of an error.
type properties struct {
	// Error is the JSON of the registered error that gave the failure its type, Others
	// are further registered errors in its chain, but for those of the call further
	// down.
	Error  json.RawMessage `json:"goError,omitempty"`
	Others []recordedError `json:"goErrors,omitempty"`
	// RetryAfter is in milliseconds; nil where nothing was said.
	RetryAfter *int64 `json:"goRetryAfter,omitempty"`
	// Activity and Orchestrator name the failed call further down.
	Activity     string `json:"goActivity,omitempty"`
	Orchestrator string `json:"goOrchestrator,omitempty"`
	Entity       string `json:"goEntity,omitempty"`
	Operation    string `json:"goOperation,omitempty"`
	// Instance is the one that called, and Attempt the number of the call where it
	// is not 1.
	Instance string `json:"goInstance,omitempty"`
	Attempt  int    `json:"goAttempt,omitempty"`
}

func propertiesOf(d *history.FailureDetails) (p properties) {
	if d != nil && len(d.Properties) > 0 {
		// Properties of other programs mean nothing to us.
		_ = json.Unmarshal(d.Properties, &p)
	}
	return p
}

// retryAfterOf is the wait that RetryAfter has asked for; nil where it has not.
func retryAfterOf(d *history.FailureDetails) *time.Duration {
	milliseconds := propertiesOf(d).RetryAfter
	if milliseconds == nil {
		return nil
	}
	wait := time.Duration(min(*milliseconds, math.MaxInt64/int64(time.Millisecond))) * time.Millisecond
	return &wait
}

// causeOf makes the errors again of which a failure tells: registered ones, and that
// of the call further down. The instance is the one that called.
func causeOf(d *history.FailureDetails, instance string) error {
	var all []error
	for i, e := range recordedErrors(d) {
		if i == 0 && d.Inner != nil && e.equal(recordedErrors(d.Inner)[0]) {
			continue // the call has it as its cause
		}
		if err := registered.restore(e); err != nil {
			all = append(all, err)
		}
	}
	if d.Inner != nil {
		p := propertiesOf(d.Inner)
		all = append(all, &TaskError{
			Activity: p.Activity, Orchestrator: p.Orchestrator, Entity: p.Entity, Operation: p.Operation, InstanceID: cmp.Or(p.Instance, instance), Attempt: max(p.Attempt, 1),
			Type: d.Inner.ErrorType, Message: d.Inner.ErrorMessage, Stack: string(d.Inner.StackTrace), Cause: cmp.Or(causeOf(d.Inner, ""), engineError(d.Inner, p.Entity != "")),
		})
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return &causes{all[0], all}
}

// recordedErrors are what may be registered errors of a failure: first the one that gave it
// its type.
func recordedErrors(d *history.FailureDetails) []recordedError {
	p := propertiesOf(d)
	return append([]recordedError{{d.ErrorType, p.Error}}, p.Others...)
}

// causes are the errors of a chain that could be made again. The text is that of the
// first one.
type causes struct {
	error
	all []error
}

func (c *causes) Unwrap() []error { return c.all }

// failureDetails is what the history keeps of an error of user code, whose methods may
// panic.
func failureDetails(err error) (kept *history.FailureDetails) {
	defer func() {
		if p := recover(); p != nil {
			kept = brokenDetails(err, p)
		}
	}()
	if bad := (*badPayload)(nil); errors.As(err, &bad) {
		return bad.details()
	}
	final, wait := marks(err)
	d := &history.FailureDetails{ErrorType: typeName(err), ErrorMessage: clip(errorText(err)), NonRetriable: final}
	var p properties
	if wait != nil {
		milliseconds := max(0, wait.Milliseconds())
		if *wait > time.Duration(milliseconds)*time.Millisecond {
			milliseconds++
		}
		p.RetryAfter = &milliseconds
	}
	found := registered.find(err)
	if len(found) > 0 {
		d.ErrorType = found[0].Type
	}
	var task *TaskError
	if errors.As(err, &task) && task != nil {
		d.Inner = innerDetails(task)
	}
	p.keep(d.ErrorType, found, task)
	d.Properties = encodeProperties(p)
	return d
}

// innerDetails keeps a failure that the error of user code came from.
func innerDetails(task *TaskError) *history.FailureDetails {
	d := &history.FailureDetails{ErrorType: task.Type, ErrorMessage: task.Message}
	if task.Stack != "" {
		d.StackTrace = history.Payload(task.Stack)
	}
	p := properties{Activity: task.Activity, Orchestrator: task.Orchestrator, Entity: task.Entity, Operation: task.Operation, Instance: task.InstanceID}
	if task.Attempt > 1 {
		p.Attempt = task.Attempt
	}
	var inner *TaskError
	if errors.As(task.Cause, &inner) && inner != nil {
		d.Inner = innerDetails(inner)
	}
	p.keep(task.Type, registered.find(task.Cause), inner)
	d.Properties = encodeProperties(p)
	return d
}

// keep notes registered errors of a failure: the one of its type, and those that the
// call further down, if any, does not have.
func (p *properties) keep(kind string, found []recordedError, inner *TaskError) {
	var below []recordedError
	if inner != nil {
		below = registered.find(inner)
	}
	first := true
	for _, e := range found {
		switch {
		case e.Type == kind && first:
			p.Error, first = e.Error, false
		case !slices.ContainsFunc(below, e.equal):
			p.Others = append(p.Others, e)
		}
	}
}

func encodeProperties(p properties) history.Payload {
	raw, err := marshalJSON(p)
	if err != nil || string(raw) == "{}" {
		return nil
	}
	return raw
}

// brokenDetails is what can be kept of an error that panics when it is looked into: what
// it wraps is not among that.
func brokenDetails(err error, p any) *history.FailureDetails {
	inner, final := unmarked(err)
	d := &history.FailureDetails{ErrorType: fmt.Sprintf("%T", inner), ErrorMessage: errorText(err), NonRetriable: final}
	if v := reflect.ValueOf(inner); v.Kind() != reflect.Pointer || !v.IsNil() {
		d.ErrorMessage += fmt.Sprintf(" (a method of it panics: %v)", p)
	}
	d.ErrorMessage = clip(d.ErrorMessage)
	return d
}

// errorText is the text of an error of user code. The method panics for many a nil
// pointer that was returned as an error, and for an error that crossed a boundary
// without what it wraps.
func errorText(err error) (text string) {
	err, _ = unmarked(err)
	defer func() {
		p := recover()
		switch v := reflect.ValueOf(err); {
		case p == nil:
		case v.Kind() == reflect.Pointer && v.IsNil():
			text = fmt.Sprintf("the error is a nil %T: return nil itself where nothing has failed", err)
		default:
			text = fmt.Sprintf("the error is a %T whose method Error panics: %v", err, p)
		}
	}()
	return err.Error()
}

// typeName is the type of an error, without the marks around it.
func typeName(err error) string {
	err, _ = unmarked(err)
	return fmt.Sprintf("%T", err)
}

// unmarked is an error without the marks around it; final means that NonRetryable is one
// of them.
func unmarked(err error) (_ error, final bool) {
	for {
		switch marked := err.(type) {
		case *nonRetryable:
			err, final = marked.error, true
		case *retryAfter:
			err = marked.error
		default:
			return err, final
		}
	}
}

// panicDetails is what the history keeps of a panic of user code.
func panicDetails(p any) *history.FailureDetails {
	return engine.PanicDetails(clip(fmt.Sprint("panic: ", p)))
}
