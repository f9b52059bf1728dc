// Package durable stands in for the real one in tests of the analyzer: the same
// names and types, without code. TestNames compares the two.
package durable

import (
	"context"
	"iter"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"
)

type (
	RuntimeStatus string

	Context   struct{ _ int }
	None      struct{}
	Parent    struct{ Name, InstanceID string }
	Timer     struct{ Task[None] }
	WaitGroup struct{ _ int }
	App       struct{ _ int }
	Client    struct{ _ int }
	Status    struct{ RuntimeStatus RuntimeStatus }

	Task[T any]               struct{ _ T }
	EventChannel[T any]       struct{ _ T }
	Activity[In, Out any]     struct{ run func(In) Out }
	Orchestrator[In, Out any] struct{ run func(In) Out }
	Action[In any]            struct{ Activity[In, None] }
	Event[T any]              struct{ _ T }
	Callable[In, Out any]     interface{ mapped(In) Out }
	Instance[Out any]         struct{ ID string }
	Registration              interface{ registration() }
	Awaitable                 interface{ Done() bool }
	StartOption               interface{ start() }
	ActivityOption            interface{ activity() }
	ChildOption               interface{ child() }
	EventOption               interface{ event() }
	Serializer                interface{ Marshal(v any) ([]byte, error) }
	OrchestratorHandler       func(ctx *Context, input []byte) ([]byte, error)
	ActivityHandler           func(ctx context.Context, input []byte) ([]byte, error)
	Trigger                   struct{ Function string }

	option interface {
		StartOption
		ActivityOption
		ChildOption
		EventOption
	}
)

type RetryPolicy struct {
	MaxAttempts   int
	FirstInterval time.Duration
	Backoff       float64
	MaxInterval   time.Duration
	Timeout       time.Duration
	Jitter        float64
	Handle        func(err error) bool
}

func (c *Context) InstanceID() string                                    { return "" }
func (c *Context) Now() time.Time                                        { return time.Time{} }
func (c *Context) NewGUID() string                                       { return "" }
func (c *Context) Rand() *rand.Rand                                      { return nil }
func (c *Context) Logger() *slog.Logger                                  { return nil }
func (c *Context) IsReplaying() bool                                     { return false }
func (c *Context) Sleep(d time.Duration) error                           { return nil }
func (c *Context) NewTimer(d time.Duration) *Timer                       { return nil }
func (c *Context) SetCustomStatus(v any)                                 {}
func (c *Context) SendEvent(instanceID, name string, data any) error     { return nil }
func (t *Task[T]) Cancel() bool                                          { return false }
func (t *Task[T]) Await() (v T, err error)                               { return v, err }
func (t *Task[T]) Done() bool                                            { return false }
func (g *WaitGroup) Go(ctx *Context, f func(ctx *Context) error)         {}
func (g *WaitGroup) Wait() error                                         { return nil }
func (c *EventChannel[T]) Receive(options ...EventOption) (v T, e error) { return v, e }

func NewOrchestrator[In, Out any](name string, run func(ctx *Context, in In) (Out, error)) *Orchestrator[In, Out] {
	return nil
}
func DeclareOrchestrator[In, Out any](name string) *Orchestrator[In, Out] { return nil }
func NewActivity[In, Out any](name string, run func(ctx context.Context, in In) (Out, error)) *Activity[In, Out] {
	return nil
}
func NewAction[In any](name string, run func(ctx context.Context, in In) error) *Action[In] {
	return nil
}
func DeclareAction[In any](name string) *Action[In] { return nil }
func (a *Action[In]) Implement(run func(ctx context.Context, in In) error) Registration {
	return nil
}
func (a *Action[In]) Do(ctx *Context, in In, options ...ActivityOption) error { return nil }
func Branch[In, Out any](f func(ctx *Context, in In) (Out, error)) Callable[In, Out] {
	return nil
}
func NewEvent[T any](name string) *Event[T]                       { return nil }
func WithTotalTimeout(d time.Duration) option                     { return nil }
func DeclareActivity[In, Out any](name string) *Activity[In, Out] { return nil }

func (o *Orchestrator[In, Out]) Implement(run func(ctx *Context, in In) (Out, error)) Registration {
	return nil
}
func (o *Orchestrator[In, Out]) Call(ctx *Context, in In, options ...ChildOption) *Task[Out] {
	return nil
}
func (o *Orchestrator[In, Out]) StartDetached(ctx *Context, in In, options ...ChildOption) (string, error) {
	return "", nil
}
func (o *Orchestrator[In, Out]) Start(ctx context.Context, c *Client, in In, options ...StartOption) (*Instance[Out], error) {
	return nil, nil
}
func (o *Orchestrator[In, Out]) ContinueAsNew(ctx *Context, in In) (out Out, err error) {
	return out, nil
}
func (o *Orchestrator[In, Out]) registration() {}
func (a *Activity[In, Out]) Implement(run func(ctx context.Context, in In) (Out, error)) Registration {
	return nil
}
func (a *Activity[In, Out]) Call(ctx *Context, in In, options ...ActivityOption) *Task[Out] {
	return nil
}
func (a *Activity[In, Out]) Name() string  { return "" }
func (a *Activity[In, Out]) registration() {}

func CallActivity[Out any](ctx *Context, name string, in any, options ...ActivityOption) *Task[Out] {
	return nil
}
func CallOrchestrator[Out any](ctx *Context, name string, in any, options ...ChildOption) *Task[Out] {
	return nil
}
func ContinueAsNew[Out any](ctx *Context, in any) (out Out, err error) { return out, nil }
func (c *Context) ContinueAsNew(in any) error                          { return nil }
func IsContinueAsNew(err error) bool                                   { return false }
func Patched(ctx *Context, name string) bool                           { return false }
func SideEffect[T any](ctx *Context, f func() T) (v T)                 { return v }
func Step[T any](ctx *Context, name string, f func(ctx context.Context) (T, error), options ...ActivityOption) *Task[T] {
	return nil
}
func Go[T any](ctx *Context, f func(ctx *Context) (T, error)) *Task[T] { return nil }
func All[T any](tasks ...*Task[T]) ([]T, error)                        { return nil, nil }
func FirstError[T any](tasks ...*Task[T]) ([]T, error)                 { return nil, nil }
func Any[T any](tasks ...*Task[T]) (index int, first *Task[T])         { return 0, nil }
func Select(tasks ...Awaitable) int                                    { return 0 }
func AsCompleted[T any](tasks ...*Task[T]) iter.Seq2[int, *Task[T]]    { return nil }
func (a *Activity[In, Out]) mapped(In) (out Out)                       { return out }
func (o *Orchestrator[In, Out]) mapped(In) (out Out)                   { return out }
func Map[In, Out any](ctx *Context, items []In, f Callable[In, Out]) ([]Out, error) {
	return nil, nil
}
func WaitForEvent[T any](ctx *Context, name string, options ...EventOption) *Task[T] { return nil }
func Events[T any](ctx *Context, name string) *EventChannel[T]                       { return nil }
func WithRetry(policy RetryPolicy) option                                            { return nil }
func WithTimeout(d time.Duration) option                                             { return nil }
func WithHeartbeatTimeout(d time.Duration) option                                    { return nil }
func RetryAfter(err error, wait time.Duration) error                                 { return nil }

func NewApp() *App                                    { return nil }
func (a *App) Client() *Client                        { return nil }
func (a *App) Register(functions ...Registration)     {}
func (a *App) HandleHTTP(name string, h http.Handler) {}
func (a *App) Run(ctx context.Context) error          { return nil }
func (a *App) UseSerializer(s Serializer)             {}
func (a *App) UseOrchestratorMiddleware(middleware func(next OrchestratorHandler) OrchestratorHandler) {
}
func (a *App) UseActivityMiddleware(middleware func(next ActivityHandler) ActivityHandler) {}
func HandleTrigger[T any](a *App, name string, f func(ctx context.Context, msg T, meta Trigger) error) {
}
func (c *Client) Status(ctx context.Context, id string) (*Status, error)          { return nil, nil }
func (c *Client) RaiseEvent(ctx context.Context, id, name string, data any) error { return nil }
