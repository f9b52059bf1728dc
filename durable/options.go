package durable

import (
	"fmt"
	"maps"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/engine"
)

// The kinds of options. Each option's documentation says what it means; that it
// is of a kind says where it may be used.
type (
	// StartOption changes how a client starts an orchestration.
	StartOption interface{ start(*client.Start) }
	// ActivityOption changes how an activity or a Step is called.
	ActivityOption interface{ activity(*callOptions) }
	// ChildOption changes how a child is started.
	ChildOption interface{ child(*callOptions) }
	// MapOption changes how Map calls an activity.
	MapOption interface{ mapping(*callOptions) }
	// EventOption changes how an event is waited for.
	EventOption interface{ event(*callOptions) }
	// ContinueOption changes how an orchestration continues as new.
	ContinueOption interface{ next(*engine.ContinueAsNew) }
)

// callOptions are what the options of a call come to.
type callOptions struct {
	retry       *RetryPolicy
	timeout     time.Duration
	timed       bool
	heartbeat   time.Duration
	beats       bool
	version     *string
	tags        map[string]string
	instanceID  string
	concurrency int
	limited     bool
}

// noOptions are those of a call without options.
var noOptions callOptions

// activityOptions are read only: most calls share them.
func activityOptions(options []ActivityOption) *callOptions {
	if len(options) == 0 {
		return &noOptions
	}
	o := &callOptions{}
	for _, option := range options {
		option.activity(o)
	}
	return o
}

// check finds values that make no sense.
func (o *callOptions) check() error {
	switch {
	case o.timed && o.timeout <= 0:
		return fmt.Errorf("a timeout of %v makes no sense: it must be above 0", o.timeout)
	case o.beats && o.heartbeat <= 0:
		return fmt.Errorf("a heartbeat timeout of %v makes no sense: it must be above 0", o.heartbeat)
	case o.limited && o.concurrency < 1:
		return fmt.Errorf("a concurrency of %d makes no sense: it must be at least 1", o.concurrency)
	case o.retry != nil:
		return o.retry.check()
	}
	return nil
}

// WithRetry repeats a call that fails. See RetryPolicy.
func WithRetry(policy RetryPolicy) interface {
	ActivityOption
	ChildOption
	MapOption
} {
	return retryOption{policy}
}

type retryOption struct{ policy RetryPolicy }

func (o retryOption) activity(c *callOptions) { c.retry = &o.policy }
func (o retryOption) child(c *callOptions)    { c.retry = &o.policy }
func (o retryOption) mapping(c *callOptions)  { c.retry = &o.policy }

// WithTimeout bounds a call or a wait. An activity's context ends with the
// timeout, which counts from when the activity begins to run, for each attempt
// anew; its failure is then context.DeadlineExceeded. A wait for an event fails
// with ErrTimeout; its timeout counts from the call.
func WithTimeout(d time.Duration) interface {
	ActivityOption
	MapOption
	EventOption
} {
	return timeoutOption(d)
}

type timeoutOption time.Duration

func (o timeoutOption) set(c *callOptions)      { c.timeout, c.timed = time.Duration(o), true }
func (o timeoutOption) activity(c *callOptions) { o.set(c) }
func (o timeoutOption) mapping(c *callOptions)  { o.set(c) }
func (o timeoutOption) event(c *callOptions)    { o.set(c) }

// WithInstanceID chooses the id of the instance: at most 256 characters, not
// beginning with @, without slashes, backslashes, #, ? and control characters.
//
// For a client's start an unfinished instance of that id makes the start fail
// with [ErrAlreadyExists]; a finished one is replaced, so that the orchestrator runs
// AGAIN. [WithReuse] chooses something else, and in a [HandleTrigger], whose
// message may come twice, the start returns the instance that is there. The
// default is a random id. For a child it is the id over all attempts; the default
// is the parent's execution id, a colon and the number of the call.
func WithInstanceID(id string) interface {
	StartOption
	ChildOption
} {
	return instanceIDOption(id)
}

type instanceIDOption string

func (o instanceIDOption) start(s *client.Start) { s.InstanceID = string(o) }
func (o instanceIDOption) child(c *callOptions)  { c.instanceID = string(o) }

// Reuse says what becomes of a start whose instance id is taken.
type Reuse int

// The reuse policies.
const (
	// RejectIfRunning replaces an instance that has finished; an unfinished one
	// makes the start fail with ErrAlreadyExists. The default outside of a
	// HandleTrigger.
	RejectIfRunning = Reuse(client.RejectIfRunning)
	// RejectIfExists makes the start fail with ErrAlreadyExists in both cases.
	RejectIfExists = Reuse(client.RejectIfExists)
	// ReturnExisting starts nothing; the start succeeds with the instance that
	// is there, finished or not, whatever its orchestrator and input are. The
	// default within a HandleTrigger.
	ReturnExisting = Reuse(client.ReturnExisting)
	// TerminateAndReplace terminates an unfinished instance, waits until it has
	// ended (or the context of the start has), and replaces it: the two never
	// run at the same time.
	TerminateAndReplace = Reuse(client.TerminateAndReplace)
)

// WithReuse chooses what becomes of a start whose instance id is taken.
func WithReuse(policy Reuse) StartOption { return reuseOption(policy) }

type reuseOption Reuse

func (o reuseOption) start(s *client.Start) { s.Reuse = client.Reuse(o) }

// StartAt delays the start until then, at most six days from now.
func StartAt(t time.Time) StartOption { return startAtOption(t) }

type startAtOption time.Time

func (o startAtOption) start(s *client.Start) { s.At = time.Time(o).UTC() }

// WithTags attaches names and values that are stored with the instance or the
// call. The activity sees those of its call in ActivityInfo.
func WithTags(tags map[string]string) interface {
	StartOption
	ActivityOption
	ChildOption
	MapOption
} {
	return tagsOption(maps.Clone(tags))
}

type tagsOption map[string]string

func (o tagsOption) start(s *client.Start)   { s.Tags = o }
func (o tagsOption) activity(c *callOptions) { c.tags = o }
func (o tagsOption) child(c *callOptions)    { c.tags = o }
func (o tagsOption) mapping(c *callOptions)  { c.tags = o }

// WithVersion says which version an orchestration is started with, or goes on
// with when it continues as new.
func WithVersion(version string) interface {
	StartOption
	ChildOption
	ContinueOption
} {
	return versionOption(version)
}

type versionOption string

func (o versionOption) start(s *client.Start)        { s.Version = string(o) }
func (o versionOption) child(c *callOptions)         { v := string(o); c.version = &v }
func (o versionOption) next(c *engine.ContinueAsNew) { v := string(o); c.Version = &v }

// DropEvents makes continue-as-new forget the external events that nobody has
// waited for. By default they are kept for the new execution.
func DropEvents() ContinueOption { return dropEventsOption{} }

type dropEventsOption struct{}

func (dropEventsOption) next(c *engine.ContinueAsNew) { c.DropEvents = true }

// MaxConcurrency bounds how many calls of a Map are open at the same time, at
// least 1. By default all of them are.
func MaxConcurrency(n int) MapOption { return concurrencyOption(n) }

type concurrencyOption int

func (o concurrencyOption) mapping(c *callOptions) { c.concurrency, c.limited = int(o), true }
