package programs

import (
	"context"
	"errors"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/samples/conformance/program"
)

// reuse are starts with a policy for an id that is taken, by a program that runs,
// is suspended or has ended. The output tells whether it was replaced: an
// activity in it fails the first time.
func reuse(m *maker) Test {
	tried := try([]step{m.failing(1, 0, encode("again"))})
	begin := append(m.before(), tried, mark("one"), wait("Go"))
	one, ends, end := until("one"), Action{Op: Ends}, raise("Go", 7)
	policy := pick(m, durable.RejectIfRunning, durable.RejectIfExists, durable.ReturnExisting, durable.TerminateAndReplace)
	start := Action{Op: Start, Reuse: policy}
	runs := m.some(0.6)
	var script []Action
	switch {
	case !runs:
		script = []Action{one, end, ends}
	case m.some(0.3):
		script = []Action{one, {Op: Suspend}}
	default:
		script = []Action{one}
	}
	replaced := policy == durable.TerminateAndReplace || !runs && policy == durable.RejectIfRunning
	switch {
	case replaced && m.some(0.5):
		script = append(script, start, end) // the event comes before the start was seen to have begun
	case replaced:
		script = append(script, start, one, end)
	case policy == durable.ReturnExisting:
		script = append(script, start)
	default:
		script = append(script, wants(start, "409"))
	}
	if runs && !replaced {
		if script[1].Op == Suspend {
			script = append(script, Action{Op: Resume})
		}
		script = append(script, end)
	}
	t := m.one(begin, append(script, ends)...)
	output := results(begin, 7)
	gave := []any{map[string]string{"error": "try 1"}}
	if replaced {
		gave = []any{"again"}
	}
	output = append(output[:len(output)-1:len(output)-1], gave, 7)
	t.Instances[0].Want = completed(encode("one"), output)
	return t
}

// Starter starts programs with a reuse policy, which the management API does not
// have. It returns the code that the API would have answered.
type Starter func(ctx context.Context, id string, in program.Input, policy durable.ReusePolicy) (code string, err error)

// StartBy is a Starter that uses a client.
func StartBy(c *durable.Client) Starter {
	return func(ctx context.Context, id string, in program.Input, policy durable.ReusePolicy) (string, error) {
		_, err := c.StartNew(ctx, program.Program.Name(), in, durable.WithInstanceID(id), durable.WithReuse(policy))
		if errors.Is(err, durable.ErrAlreadyExists) {
			return "409", nil
		}
		return "202", err
	}
}
