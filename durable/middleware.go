package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
)

// ActivityHandler runs an activity: the function itself, or middleware around
// it. The input and the result are JSON (or what
// the app's Serializer makes), nil where there is none; the error is the one that
// the function returned. ActivityInfoFromContext says which call it is.
type ActivityHandler func(ctx context.Context, input []byte) ([]byte, error)

// OrchestratorHandler runs an orchestrator: the function itself, or middleware
// around it. The input and the result are JSON (or what the app's
// Serializer makes), nil where there is none.
type OrchestratorHandler func(ctx *Context, input []byte) ([]byte, error)

// UseActivityMiddleware puts code around every run of every activity and Step:
// to log, measure, add values to the context, or change input, result and
// error. The middleware that was added first is the outermost. It may call next
// not at all, or again; a panic in it fails the activity. A result that is no
// JSON fails the activity, too.
func (a *App) UseActivityMiddleware(middleware func(next ActivityHandler) ActivityHandler) {
	if middleware == nil {
		a.errs = append(a.errs, errors.New("the middleware for activities is nil"))
		return
	}
	a.registry.aroundActivities = append(a.registry.aroundActivities, middleware)
}

// UseOrchestratorMiddleware puts code around every orchestrator. The middleware
// that was added first is the outermost. It is orchestrator code: it runs again
// in every replay (see Context.IsReplaying and Context.Logger), it must do the
// same each time, and it may use the Context. An error that IsContinueAsNew is
// how an orchestrator begins anew: it must be returned as it is, or wrapped. A
// panic fails the orchestration. What comes after next does not run when the
// orchestration is terminated.
func (a *App) UseOrchestratorMiddleware(middleware func(next OrchestratorHandler) OrchestratorHandler) {
	if middleware == nil {
		a.errs = append(a.errs, errors.New("the middleware for orchestrators is nil"))
		return
	}
	a.registry.aroundOrchestrators = append(a.registry.aroundOrchestrators, middleware)
}

// IsContinueAsNew reports whether an orchestrator's error means that it continues
// as new.
func IsContinueAsNew(err error) bool {
	return errors.As(err, new(*engine.ContinueAsNew))
}

// aroundActivity is an activity within the middleware.
func (r *registry) aroundActivity(run func(context.Context, *registry, history.Payload) (history.Payload, error)) func(context.Context, history.Payload) (history.Payload, error) {
	h := ActivityHandler(func(ctx context.Context, input []byte) ([]byte, error) {
		result, err := run(ctx, r, history.Payload(input))
		return result, err
	})
	for i := len(r.aroundActivities) - 1; i >= 0; i-- {
		h = r.aroundActivities[i](h)
	}
	return func(ctx context.Context, input history.Payload) (history.Payload, error) {
		if len(r.aroundActivities) == 0 {
			return run(ctx, r, input)
		}
		return r.checked(h(ctx, input))
	}
}

// aroundOrchestrator is an orchestrator within the middleware.
func (r *registry) aroundOrchestrator(run func(*Context, history.Payload) (history.Payload, error)) func(*Context, history.Payload) (history.Payload, error) {
	if len(r.aroundOrchestrators) == 0 {
		return run
	}
	h := OrchestratorHandler(func(ctx *Context, input []byte) ([]byte, error) {
		result, err := run(ctx, history.Payload(input))
		return result, err
	})
	for i := len(r.aroundOrchestrators) - 1; i >= 0; i-- {
		h = r.aroundOrchestrators[i](h)
	}
	return func(ctx *Context, input history.Payload) (history.Payload, error) {
		return r.checked(h(ctx, input))
	}
}

// checked sees to it that what middleware returns can be stored.
func (r *registry) checked(result []byte, err error) (history.Payload, error) {
	switch {
	case err != nil:
		return nil, err
	case len(result) == 0 || string(result) == "null":
		return nil, nil
	case r.serializer == nil && !json.Valid(result):
		return nil, unstorable(fmt.Errorf("%.40q, which middleware returned, is no JSON", result))
	}
	return history.Payload(result), nil
}
