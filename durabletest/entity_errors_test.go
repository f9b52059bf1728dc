package durabletest_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// TestErrorsOfEntityCallsCrossEveryBoundary: what the engine says of a call is found by a
// parent of the orchestrator that called, and by its client.
func TestErrorsOfEntityCallsCrossEveryBoundary(t *testing.T) {
	ask := durable.NewOrchestrator("Ask", func(ctx *durable.Context, entity string) (int, error) {
		return durable.CallEntity[int](ctx, durable.EntityID{Name: entity, Key: "k"}, "Nonsense", nil).Await()
	})
	parent := durable.NewOrchestrator("Parent", func(ctx *durable.Context, entity string) (bool, error) {
		_, err := ask.Call(ctx, entity).Await()
		if !errors.Is(err, durable.ErrUnknownEntity) && !errors.Is(err, durable.ErrUnknownOperation) {
			return false, fmt.Errorf("the parent has another error: %v", err) //nolint:errorlint // its causes are not to be found
		}
		return true, err
	})
	o := durabletest.Options{Unregistered: true}
	for entity, want := range map[string]error{"nobody": durable.ErrUnknownEntity, "account": durable.ErrUnknownOperation} {
		o.Run(t, func(t *testing.T, env *durabletest.Env) {
			for name, start := range map[string]func() error{
				"child":  func() error { _, err := durabletest.Start(env, ask, entity).Result(); return err },
				"parent": func() error { _, err := durabletest.Start(env, parent, entity).Result(); return err },
			} {
				err := start()
				if !errors.Is(err, want) || errors.Is(err, durable.ErrLockLost) {
					t.Errorf("%s, %s: the client has %v", name, entity, err)
				}
			}
		}, ask, parent, accounts)
	}
}
