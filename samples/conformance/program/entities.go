package program

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/durable-go/functions/durable"
)

// Cell is an entity whose state is any JSON value; null is none. Its operations are
// asked for by name.
var Cell = durable.NewEntity[Value]("Cell")

// Forward is the input of operations that signal another entity.
type Forward struct {
	Entity  string `json:"entity"`
	Op      string `json:"op"`
	Input   Value  `json:"input,omitempty"`
	AfterMS int    `json:"afterMs,omitempty"`
	Message string `json:"message,omitempty"`
}

// Assignment is the input of setAndFail.
type Assignment struct {
	Value   Value  `json:"value"`
	Message string `json:"message"`
}

// Beginning is the input of start.
type Beginning struct {
	ID    string `json:"id"`
	Steps []Step `json:"steps"`
}

func init() {
	durable.NewOperation(Cell, "add", add)
	durable.NewView(Cell, "get", func(s Value, _ Value) (Value, error) { return s, nil })
	durable.NewOperation(Cell, "set", func(s *Value, _ *durable.EntityContext, v Value) (string, error) {
		*s = v
		return "set", nil
	})
	durable.NewOperation(Cell, "append", appendTo)
	durable.NewOperation(Cell, "delete", func(_ *Value, ctx *durable.EntityContext, _ Value) (string, error) {
		ctx.Delete()
		return "deleted", nil
	})
	durable.NewCommand(Cell, "fail", func(_ *Value, _ *durable.EntityContext, message string) error { return errors.New(message) })
	durable.NewCommand(Cell, "setAndFail", func(s *Value, _ *durable.EntityContext, in Assignment) error {
		*s = in.Value
		return errors.New(in.Message)
	})
	durable.NewCommand(Cell, "signalAndFail", func(_ *Value, ctx *durable.EntityContext, in Forward) error {
		return errors.Join(in.send(ctx), errors.New(in.Message))
	})
	durable.NewOperation(Cell, "forward", func(_ *Value, ctx *durable.EntityContext, in Forward) (string, error) {
		return "forwarded", in.send(ctx)
	})
	durable.NewOperation(Cell, "start", func(_ *Value, ctx *durable.EntityContext, in Beginning) (string, error) {
		return ctx.StartOrchestration(Program.Name(), Input{Steps: in.Steps}, durable.WithInstanceID(in.ID))
	})
	durable.NewOperation(Cell, "slow", func(_ *Value, ctx *durable.EntityContext, in Pause) (Value, error) {
		return runSlow(context.Context(ctx), in)
	})
	durable.NewOperation(Cell, "key", func(_ *Value, ctx *durable.EntityContext, _ Value) (string, error) { return ctx.Key(), nil })
	durable.NewOperation(Cell, "name", func(_ *Value, ctx *durable.EntityContext, _ Value) (string, error) { return ctx.ID().Name, nil })
}

func add(s *Value, _ *durable.EntityContext, by *int64) (int64, error) {
	var n int64
	if *s != nil {
		if err := json.Unmarshal(*s, &n); err != nil {
			return 0, err
		}
	}
	if by == nil {
		n++
	} else {
		n += *by
	}
	*s = encode(n)
	return n, nil
}

func appendTo(s *Value, _ *durable.EntityContext, v Value) (int, error) {
	var list []Value
	if *s != nil {
		if err := json.Unmarshal(*s, &list); err != nil {
			list = nil // it was no list
		}
	}
	list = append(list, v)
	*s = encode(list)
	return len(list), nil
}

func (f Forward) send(ctx durable.Sender) error {
	id, err := durable.ParseEntityID(f.Entity)
	if err != nil {
		return err
	}
	var options []durable.SignalOption
	if f.AfterMS > 0 {
		options = append(options, durable.WithDeliverAt(now(ctx).Add(milliseconds(f.AfterMS))))
	}
	return durable.SignalEntity(ctx, id, f.Op, f.Input, options...)
}

// now is the clock of an orchestration or of an operation.
func now(ctx durable.Sender) time.Time { return ctx.(interface{ Now() time.Time }).Now() }

func (p *player) ask(s Step) (Value, error) {
	id, err := durable.ParseEntityID(s.Entity)
	if err != nil {
		return nil, err
	}
	return durable.CallEntity[Value](p.ctx, id, s.Op, s.Input).Await()
}

func (p *player) lock(s Step) (Value, error) {
	ids := make([]durable.EntityID, len(s.Entities))
	for i, text := range s.Entities {
		var err error
		if ids[i], err = durable.ParseEntityID(text); err != nil {
			return nil, err
		}
	}
	return durable.Critical(p.ctx, func() (Value, error) {
		results := []Value{}
		err := p.play(s.Steps, &results)
		return encode(results), err
	}, ids...)
}

func (p *player) locked() Value {
	var out []string
	for _, id := range p.ctx.LockedEntities() {
		out = append(out, id.String())
	}
	return encode(out)
}
