package internal_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	hello "github.com/durable-go/functions/Hello"
	orchestrator "github.com/durable-go/functions/Orchestrator"
	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// The history that docs/concepts.md shows is what the engine records of the lab.
func TestPageShowsTheHistoryOfTheLab(t *testing.T) {
	raw, err := os.ReadFile("../docs/concepts.md")
	if err != nil {
		t.Fatal(err)
	}
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		lab := durabletest.Start(env, orchestrator.Orchestrator, durable.None{})
		if _, err := lab.Result(); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(lab.History().String()) {
			if !strings.Contains(string(raw), strings.TrimRight(line, "\n")) {
				t.Errorf("docs/concepts.md does not show this event of the lab:\n%s", line)
			}
		}
	}, orchestrator.Orchestrator, hello.Activity)
}

// Wherever a crash cuts the lab, one activity at most runs twice.
func TestCrashesOfTheLab(t *testing.T) {
	durabletest.EveryCrash(t, func(t *testing.T, env *durabletest.Env) {
		greetings, err := durabletest.Start(env, orchestrator.Orchestrator, durable.None{}).Result()
		if runs := len(env.Calls(hello.Activity.Name())); err != nil || len(greetings) != 3 || runs < 3 || runs > 4 {
			t.Errorf("%q, %v after %d runs", greetings, err, runs)
		}
	}, orchestrator.Orchestrator, hello.Activity)
}

// A run that a crash repeats has the key of the first one; an attempt of a retry
// policy has a key of its own.
func TestKeysOfRunsAndAttempts(t *testing.T) {
	var keys []string
	charge := durable.NewAction("Charge", func(ctx context.Context, _ int) error {
		keys = append(keys, durable.ActivityInfoFromContext(ctx).IdempotencyKey)
		if len(keys) < 3 {
			return errors.New("the bank does not answer")
		}
		return nil
	})
	order := durable.NewOrchestrator("Order", func(ctx *durable.Context, cents int) (durable.None, error) {
		return charge.Call(ctx, cents, durable.WithRetry(durable.RetryPolicy{MaxAttempts: 5, FirstInterval: time.Second})).Await()
	})
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		env.CrashAt(1) // after the first run, before its result is stored
		if _, err := durabletest.Start(env, order, 500).Result(); err != nil {
			t.Fatal(err)
		}
		if len(keys) != 3 || keys[0] != keys[1] || keys[1] == keys[2] {
			t.Errorf("the keys are %q: want one for a run and its repetition, and another one for the retry", slices.Clone(keys))
		}
	}, order, charge)
}
