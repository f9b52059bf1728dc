// Package recovered swallows what the engine says.
package recovered

import (
	"fmt"

	"github.com/durable-go/functions/durable"
)

func Bad(ctx *durable.Context) {
	defer func() {
		recover() // want `DUR015 recover: this recover hides panics`
	}()
	defer func() {
		if r := recover(); r != nil { // want `this recover hides panics`
			return
		}
	}()
	defer func() {
		if recover() != nil { // want `this recover hides panics`
			return
		}
	}()
}

func Good(ctx *durable.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it panicked: %v", r)
		}
	}()
	return nil
}

func middleware(app *durable.App) {
	app.UseOrchestratorMiddleware(func(next durable.OrchestratorHandler) durable.OrchestratorHandler {
		return func(ctx *durable.Context, input []byte) ([]byte, error) {
			out, _ := next(ctx, input) // want `this middleware drops the error of the orchestrator`
			return out, nil
		}
	})
	app.UseOrchestratorMiddleware(func(next durable.OrchestratorHandler) durable.OrchestratorHandler {
		return func(ctx *durable.Context, input []byte) ([]byte, error) {
			out, err := next(ctx, input)
			if err != nil {
				return nil, fmt.Errorf("wrapped: %w", err)
			}
			return out, nil
		}
	})
}

func ordinary() {
	defer func() { recover() }()
}
