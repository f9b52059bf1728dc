package durabletest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durable/codec"
	"github.com/durable-go/functions/durabletest"
)

// What is put in the place of a function is a part of the app, as the function is.
func TestReplacedFunctionsArePartOfTheApp(t *testing.T) {
	t.Parallel()
	var seen []string
	app := durable.NewApp()
	app.Register(order, charge)
	app.UseActivityMiddleware(func(next durable.ActivityHandler) durable.ActivityHandler {
		return func(ctx context.Context, input []byte) ([]byte, error) {
			out, err := next(ctx, input)
			seen = append(seen, fmt.Sprintf("%s %s: %s, %v", durable.ActivityInfoFromContext(ctx).Activity, input, out, err))
			return out, err
		}
	})
	app.UseOrchestratorMiddleware(func(next durable.OrchestratorHandler) durable.OrchestratorHandler {
		return func(ctx *durable.Context, input []byte) ([]byte, error) {
			out, err := next(ctx, input)
			if !ctx.IsReplaying() {
				seen = append(seen, fmt.Sprintf("orchestrator %s: %s, %v", input, out, err))
			}
			return out, err
		}
	})
	durabletest.Options{App: app}.Run(t, func(t *testing.T, env *durabletest.Env) {
		durabletest.Replace(env, charge, func(ctx context.Context, cents int) (string, error) {
			if _, ok := durable.ClientFromContext(ctx); !ok {
				t.Error("no client")
			}
			return "replaced", nil
		})
		env.Fail("Charge", 1, errors.New("closed"))
		got, err := durabletest.Start(env, order, 5).Result()
		check(t, got, err, "replaced")
		durabletest.ReplaceOrchestrator(env, order, func(*durable.Context, int) (string, error) { return "no order", nil })
		got, err = durabletest.Start(env, order, 6).Result()
		check(t, got, err, "no order")
	})
	want := []string{
		"Charge 5: , closed", `Charge 5: "replaced", <nil>`, `orchestrator 5: "replaced", <nil>`, `orchestrator 6: "no order", <nil>`,
	}
	if !slices.Equal(seen, want) {
		t.Errorf("the middleware saw %q", seen)
	}
}

func TestFailOrchestrator(t *testing.T) {
	t.Parallel()
	parent := durable.NewOrchestrator("Parent", func(ctx *durable.Context, attempts int) (string, error) {
		return order.Call(ctx, 7, durable.WithRetry(durable.RetryPolicy{MaxAttempts: attempts, FirstInterval: time.Minute})).Await()
	})
	// The child has no code here.
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		durabletest.ReplaceOrchestrator(env, order, func(ctx *durable.Context, cents int) (string, error) {
			return "replaced", ctx.Sleep(time.Hour)
		})
		env.FailOrchestrator("order", 2, errors.New("no stock"))
		got, err := durabletest.Start(env, parent, 3).Result()
		check(t, got, err, "replaced")
		check(t, env.Elapsed(), nil, time.Hour+2*time.Minute)
		env.FailOrchestrator("Order", durabletest.Always, errors.New("no stock"))
		if _, err = durabletest.Start(env, parent, 2).Result(); err == nil || !strings.Contains(err.Error(), "no stock") {
			t.Errorf("got %v", err)
		}
	}, parent)
}

// What runs keeps its code when the orchestrator is replaced.
func TestReplaceOrchestratorIsForTheNext(t *testing.T) {
	t.Parallel()
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		before := durabletest.Start(env, approval, durable.None{})
		env.Wait()
		durabletest.ReplaceOrchestrator(env, approval, func(*durable.Context, durable.None) (string, error) { return "replaced", nil })
		after := durabletest.Start(env, approval, durable.None{})
		env.Crash()
		before.RaiseEvent("Approved", "Ann")
		got, err := before.Result()
		check(t, got, err, "approved by Ann")
		got, err = after.Result()
		check(t, got, err, "replaced")
	}, approval)
}

// functions is a payload codec made of functions.
type functions struct {
	encode, decode func([]byte) ([]byte, error)
}

func (c functions) Encode(_ context.Context, plain []byte) ([]byte, error)  { return c.encode(plain) }
func (c functions) Decode(_ context.Context, stored []byte) ([]byte, error) { return c.decode(stored) }

func TestPayloadCodecIsUsed(t *testing.T) {
	t.Parallel()
	same := func(p []byte) ([]byte, error) { return p, nil }
	for name, c := range map[string]struct {
		codec durable.PayloadCodec
		want  string
	}{
		"good":   {codec.Gzip(), ""},
		"lossy":  {functions{func(p []byte) ([]byte, error) { return bytes.ToUpper(p), nil }, same}, `is decoded as "\"RECEIPT`},
		"no key": {functions{same, func([]byte) ([]byte, error) { return nil, errors.New("no key") }}, "no key"},
		"panics": {functions{func([]byte) ([]byte, error) { panic("oh") }, same}, "panic: oh"},
	} {
		app := durable.NewApp()
		app.Register(order, charge)
		app.UsePayloadCodec(c.codec)
		got := failure(durabletest.Options{App: app}, func(env *durabletest.Env) {
			i := durabletest.Start(env, order, 5)
			receipt, err := i.Result()
			check(t, receipt, err, "receipt over 5")
			if h := i.History().String(); !strings.Contains(h, `"receipt over 5"`) {
				t.Errorf("%s: the history is\n%s", name, h)
			}
		})
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q", name, got)
		}
	}
}
