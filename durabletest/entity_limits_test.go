package durabletest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// note is the state of an entity with options.
type note struct{ Text string }

func (n *note) Append(_ *durable.EntityContext, text string) (string, error) {
	n.Text += text
	return n.Text, nil
}

// Repeat gives a result that is longer than the state.
func (n *note) Repeat(_ *durable.EntityContext, times int) (string, error) {
	before := n.Text
	n.Text = "changed"
	return strings.Repeat(before, times), nil
}

// Shout signals another note with more than is stored.
func (n *note) Shout(ctx *durable.EntityContext, times int) error {
	n.Text = "changed"
	return appends.Signal(ctx, "other", strings.Repeat("x", times))
}

func (n *note) Wait(ctx *durable.EntityContext, _ durable.None) error {
	n.Text = "changed"
	<-ctx.Done()
	return ctx.Err()
}

func (n note) Read(_ durable.None) (string, error) { return n.Text, nil }

var (
	notes = durable.NewEntity[note]("Note", durable.WithInitialState(func(key string) note { return note{key + ":"} }),
		durable.WithMaxState(100), durable.WithOperationTimeout(10*time.Second), durable.WithMaxBatch(2))
	appends = durable.NewOperation(notes, "Append", (*note).Append)
	repeats = durable.NewOperation(notes, "Repeat", (*note).Repeat)
	shouts  = durable.NewCommand(notes, "Shout", (*note).Shout)
	waits   = durable.NewCommand(notes, "Wait", (*note).Wait)
	reads   = durable.NewView(notes, "Read", note.Read)
)

// What is over its limit, or out of its time, is a typed error and changes nothing.
func TestLimitsOfEntities(t *testing.T) {
	t.Parallel()
	o := durabletest.Options{Settings: `{"maxPayload": 16384}`}
	o.Run(t, func(t *testing.T, env *durabletest.Env) {
		ctx, c := t.Context(), env.Client()
		text, err := appends.Do(ctx, c, "k", "a")
		check(t, text, err, "k:a")
		for what, do := range map[string]func() error{
			"state": func() error {
				_, err := appends.Do(ctx, c, "k", strings.Repeat("x", 100))
				return err
			},
			"input": func() error {
				_, err := appends.Do(ctx, c, "k", strings.Repeat("x", 20_000))
				return err
			},
			"input of a signal": func() error { return appends.Send(ctx, c, "k", strings.Repeat("x", 20_000)) },
			"result": func() error {
				_, err := repeats.Do(ctx, c, "k", 10_000)
				return err
			},
			"signal of the operation": func() error {
				_, err := shouts.Do(ctx, c, "k", 20_000)
				return err
			},
		} {
			if err := do(); !errors.Is(err, durable.ErrTooLarge) {
				t.Errorf("%s: %v", what, err)
			}
		}
		began := env.Elapsed()
		if _, err := waits.Do(ctx, c, "k", durable.None{}); !strings.Contains(err.Error(), context.DeadlineExceeded.Error()) || env.Elapsed()-began > time.Minute {
			t.Errorf("out of time after %v: %v", env.Elapsed()-began, err)
		}
		text, err = reads.Do(ctx, c, "k", durable.None{})
		check(t, text, err, "k:a")
		text, err = reads.Do(ctx, c, "other", durable.None{})
		check(t, text, err, "other:") // its initial state
		_, exists := durabletest.Entity(env, notes, "other")
		check(t, exists, nil, false)
		if err := c.SignalEntities(ctx, appends.Signals("k", "b", "c", "d", "e", "f")...); err != nil {
			t.Fatal(err)
		}
		text, err = appends.Do(ctx, c, "k", "g")
		check(t, text, err, "k:abcdefg")
	}, notes)
}

// A call of an entity or operation that the app does not have fails with the names that
// it has, and a signal of one is dropped.
func TestUnknownOperations(t *testing.T) {
	t.Parallel()
	durabletest.Options{Unregistered: true}.Run(t, func(t *testing.T, env *durabletest.Env) {
		ctx, c := t.Context(), env.Client()
		_, err := durable.DoEntity[int](ctx, c, notes.ID("k"), "Nonsense", nil)
		if !errors.Is(err, durable.ErrUnknownOperation) || !strings.Contains(err.Error(), "'Append', 'Read', 'Repeat'") {
			t.Error(err)
		}
		_, err = durable.DoEntity[int](ctx, c, durable.EntityID{Name: "Nobody", Key: "k"}, "Append", nil)
		if !errors.Is(err, durable.ErrUnknownEntity) || !strings.Contains(err.Error(), "Note") {
			t.Error(err)
		}
		if err := c.SignalEntity(ctx, notes.ID("k"), "Nonsense", nil); err != nil {
			t.Error(err)
		}
		text, err := appends.Do(ctx, c, "k", "a")
		check(t, text, err, "k:a")
	}, notes)
}
