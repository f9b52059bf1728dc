package durable

import (
	"fmt"
	"maps"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/engine"
)

// The kinds of options: each says where an option may be used.
type (
	// StartOption changes how a client starts an orchestration.
	StartOption interface{ start(*client.Start) }
	// ActivityOption changes how an activity or a Step is called. Each one may be
	// given to Map as well.
	ActivityOption interface {
		MapOption
		activity(*callOptions)
	}
	// ChildOption changes how a child is started.
	ChildOption interface{ child(*callOptions) }
	// MapOption changes how Map calls an activity.
	MapOption interface{ mapping(*callOptions) }
	// EventOption changes how an event is waited for.
	EventOption interface{ event(*callOptions) }
	// ContinueOption changes how an orchestration continues as new.
	ContinueOption interface{ next(*engine.ContinueAsNew) }
)

// The options that may be used in several places.
type (
	// CallOption is for calls of activities, Steps and children, and for Map.
	CallOption interface {
		ActivityOption
		ChildOption
	}
	// RetryOption is for calls of all kinds, entities among them, and for Map.
	RetryOption interface {
		CallOption
		EntityCallOption
	}
	// TagsOption is for calls, and for starts by a client.
	TagsOption interface {
		CallOption
		StartOption
	}
	// TimeoutOption is for calls of activities, Steps and entities, for Map over
	// activities, and for waits for events.
	TimeoutOption interface {
		ActivityOption
		EventOption
		EntityCallOption
	}
	// InstanceIDOption is for starts, by a client or of a child.
	InstanceIDOption interface {
		StartOption
		ChildOption
	}
	// VersionOption is for starts, by a client or of a child, and for continuing
	// as new.
	VersionOption interface {
		StartOption
		ChildOption
		ContinueOption
	}
)

// callOptions are what the options of a call come to.
type callOptions struct {
	retry   *RetryPolicy
	timeout time.Duration
	timed   bool
	// total bounds all attempts where bounded is set.
	total   time.Duration
	bounded bool
	// once keeps the app's retry policy away.
	once        bool
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
func WithRetry(policy RetryPolicy) RetryOption { return retryOption{policy} }

type retryOption struct{ policy RetryPolicy }

func (o retryOption) activity(c *callOptions) { c.retry = &o.policy }
func (o retryOption) child(c *callOptions)    { c.retry = &o.policy }
func (o retryOption) mapping(c *callOptions)  { c.retry = &o.policy }

func (o retryOption) entityCall(c *callOptions) { c.retry = &o.policy }

// WithTimeout bounds a call or a wait. An activity's context ends with the
// timeout, which counts from when the activity begins to run, for each attempt
// anew; its failure is then context.DeadlineExceeded. A wait for an event fails
// with ErrTimeout; its timeout counts from the call. A timeout that is not above 0
// is over: the activity is not called, and a wait takes only an event that is there.
// See [WithTotalTimeout] for children and for a bound over all attempts.
// A call of an entity fails with ErrTimeout, too; its operation may have run then, or
// may run yet.
func WithTimeout(d time.Duration) TimeoutOption { return timeoutOption(d) }

type timeoutOption time.Duration

func (o timeoutOption) set(c *callOptions)      { c.timeout, c.timed = time.Duration(o), true }
func (o timeoutOption) activity(c *callOptions) { o.set(c) }
func (o timeoutOption) mapping(c *callOptions)  { o.set(c) }
func (o timeoutOption) event(c *callOptions)    { o.set(c) }

func (o timeoutOption) entityCall(c *callOptions) { o.set(c) }

// WithInstanceID chooses the id of the instance: at most 256 characters, not
// beginning with @, without slashes, backslashes, #, ? and control characters.
//
// For a client's start an unfinished instance of that id makes the start fail
// with [ErrAlreadyExists]; a finished one is replaced, so that the orchestrator runs
// AGAIN. [WithReuse] chooses something else, and in a [HandleTrigger], whose
// message may come twice, the start returns the instance that is there. The
// default, and what the empty id means, is a random id. For a child it is the id over
// all attempts; the default is the parent's execution id, a colon and the number of
// the call.
func WithInstanceID(id string) InstanceIDOption { return instanceIDOption(id) }

type instanceIDOption string

func (o instanceIDOption) start(s *client.Start) { s.InstanceID = string(o) }
func (o instanceIDOption) child(c *callOptions)  { c.instanceID = string(o) }

// ReusePolicy says what becomes of a start whose instance id is taken.
type ReusePolicy int

// The reuse policies.
const (
	// RejectIfRunning replaces an instance that has finished; an unfinished one
	// makes the start fail with ErrAlreadyExists. The default outside of a
	// HandleTrigger.
	RejectIfRunning = ReusePolicy(client.RejectIfRunning)
	// RejectIfExists makes the start fail with ErrAlreadyExists in both cases.
	RejectIfExists = ReusePolicy(client.RejectIfExists)
	// ReturnExisting starts nothing; the start succeeds with the instance that
	// is there, finished or not, whatever its orchestrator and input are. The
	// default within a HandleTrigger.
	ReturnExisting = ReusePolicy(client.ReturnExisting)
	// TerminateAndReplace terminates an unfinished instance, waits until it has
	// ended (or the context of the start has), and replaces it: the two never
	// run at the same time.
	TerminateAndReplace = ReusePolicy(client.TerminateAndReplace)
)

// WithReuse chooses what becomes of a start whose instance id is taken.
func WithReuse(policy ReusePolicy) StartOption { return reuseOption(policy) }

type reuseOption ReusePolicy

func (o reuseOption) start(s *client.Start) { s.Reuse = client.Reuse(o) }

// WithStartTime delays the start until then, at most six days from now.
func WithStartTime(t time.Time) StartOption { return startTimeOption(t) }

type startTimeOption time.Time

func (o startTimeOption) start(s *client.Start) { s.At = time.Time(o).UTC() }

// WithTags attaches names and values that are stored with the instance or the
// call. The activity sees those of its call in CallInfo.
func WithTags(tags map[string]string) TagsOption { return tagsOption(maps.Clone(tags)) }

type tagsOption map[string]string

func (o tagsOption) start(s *client.Start)   { s.Tags = o }
func (o tagsOption) activity(c *callOptions) { c.tags = o }
func (o tagsOption) child(c *callOptions)    { c.tags = o }
func (o tagsOption) mapping(c *callOptions)  { c.tags = o }

// WithVersion says which version an orchestration is started with, or goes on
// with when it continues as new.
func WithVersion(version string) VersionOption { return versionOption(version) }

type versionOption string

func (o versionOption) start(s *client.Start)        { s.Version = string(o) }
func (o versionOption) child(c *callOptions)         { v := string(o); c.version = &v }
func (o versionOption) next(c *engine.ContinueAsNew) { v := string(o); c.Version = &v }

// WithoutPendingEvents makes continue-as-new forget the external events that the
// orchestrator has not waited for. By default they are kept for the new execution.
func WithoutPendingEvents() ContinueOption { return withoutEventsOption{} }

type withoutEventsOption struct{}

func (withoutEventsOption) next(c *engine.ContinueAsNew) { c.DropEvents = true }

// WithMaxConcurrency bounds how many calls of a Map are open at the same time, at
// least 1. By default all of them are.
func WithMaxConcurrency(n int) MapOption { return concurrencyOption(n) }

type concurrencyOption int

func (o concurrencyOption) mapping(c *callOptions) { c.concurrency, c.limited = int(o), true }
