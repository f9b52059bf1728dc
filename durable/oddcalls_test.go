package durable_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// A wait of RetryAfter that is over makes the retry come at once.
func TestRetryAfterAWaitThatIsOver(t *testing.T) {
	for _, wait := range []time.Duration{0, -time.Minute} {
		runs := 0
		call := durable.NewAction("Call", func(context.Context, durable.None) error {
			if runs++; runs == 1 {
				return durable.RetryAfter(errors.New("again"), wait)
			}
			return nil
		})
		o := durable.NewOrchestrator("O", func(ctx *durable.Context, _ durable.None) (durable.None, error) {
			return durable.None{}, call.Do(ctx, durable.None{}, durable.WithRetry(durable.RetryPolicy{MaxAttempts: 2, FirstInterval: time.Hour}))
		})
		durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
			if _, err := durabletest.Start(env, o, durable.None{}).Result(); err != nil || runs != 2 || env.Elapsed() > time.Second {
				t.Errorf("RetryAfter %v: %v, %d runs, after %v", wait, err, runs, env.Elapsed())
			}
		}, o, call)
	}
}

// nil is the input of an orchestrator that takes None, and of no other that takes a value.
func TestContinueAsNewWithNil(t *testing.T) {
	rounds := 0
	none := durable.NewOrchestrator("Nothing", func(ctx *durable.Context, _ durable.None) (int, error) {
		if err := ctx.Sleep(time.Hour); err != nil {
			return 0, err
		}
		if rounds++; rounds == 1 {
			return 0, ctx.ContinueAsNew(nil)
		}
		return 5, nil
	})
	number := durable.NewOrchestrator("Number", func(ctx *durable.Context, _ int) (int, error) { return 0, ctx.ContinueAsNew(nil) })
	durabletest.Options{Loose: true}.Run(t, func(t *testing.T, env *durabletest.Env) {
		if got, err := durabletest.Start(env, number, 1).Result(); err == nil || !strings.Contains(err.Error(), "it is nil, and the orchestrator's input is a int") {
			t.Errorf("of a number: %d, %v", got, err)
		}
	}, number)
	durabletest.Options{Cached: true}.Run(t, func(t *testing.T, env *durabletest.Env) {
		i := durabletest.Start(env, none, durable.None{})
		env.Advance(90 * time.Minute)
		if rounds != 1 || i.Status().Finished() {
			t.Errorf("after one round: %d, %v", rounds, i.Status())
		}
		i.Terminate("enough")
	}, none)
}

// A result that is not of the handle's type is an error that says so: no zero value of a
// struct with other fields, and no bare error of package json.
func TestResultOfAnotherType(t *testing.T) {
	type receipt struct{ Paid int }
	type parcel struct{ Weight int }
	pay := durable.NewOrchestrator("Pay", func(_ *durable.Context, n int) (receipt, error) { return receipt{n}, nil })
	ship := durable.NewOrchestrator("Ship", func(_ *durable.Context, n int) (parcel, error) { return parcel{n}, nil })
	wait := durable.NewOrchestrator("Wait", func(ctx *durable.Context, _ int) (int, error) { return 1, ctx.Sleep(time.Hour) })
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		ctx, c := t.Context(), env.Client()
		id := durabletest.Start(env, pay, 5).ID
		open := durabletest.Start(env, wait, 5).ID
		env.Wait()
		for name, c := range map[string]struct {
			result func() (any, error)
			want   string
		}{
			"its own":                    {func() (any, error) { return pay.Get(c, id).Result(ctx) }, ""},
			"its own, in another case":   {func() (any, error) { return durable.DeclareOrchestrator[int, receipt]("PAY").Get(c, id).Result(ctx) }, ""},
			"of another one":             {func() (any, error) { return ship.Get(c, id).Result(ctx) }, `instance "` + id + `" is an orchestration of "Pay", not of "Ship"`},
			"of another one, which runs": {func() (any, error) { return ship.Get(c, open).Result(ctx) }, `instance "` + open + `" is an orchestration of "Wait", not of "Ship"`},
			"found by a start": {func() (any, error) {
				i, err := ship.Start(ctx, c, 7, durable.WithInstanceID(id), durable.WithReuse(durable.ReturnExisting))
				if err != nil {
					return nil, err
				}
				return i.Result(ctx)
			}, `instance "` + id + `" is an orchestration of "Pay", not of "Ship"`},
			"declared otherwise": {func() (any, error) { return durable.DeclareOrchestrator[int, string]("Pay").Get(c, id).Result(ctx) }, `the result of instance "` + id + `" (Pay) is no string: json: `},
			"as an error":        {func() (any, error) { return durable.DeclareOrchestrator[int, error]("Pay").Get(c, id).Result(ctx) }, `the result of instance "` + id + `" (Pay) is no error: json: `},
		} {
			got, err := c.result()
			if c.want == "" && (err != nil || got != receipt{5}) || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
				t.Errorf("%s: %v, %v", name, got, err)
			}
		}
	}, pay, ship, wait)
}

// The name of a patch that storage would change fails the orchestration, which would be
// parked at its next replay.
func TestNameOfAPatch(t *testing.T) {
	o := durable.NewOrchestrator("O", func(ctx *durable.Context, name string) (bool, error) {
		if name == "not UTF-8" {
			name = "\xff"
		}
		return durable.Patched(ctx, name), ctx.Sleep(time.Hour)
	})
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		for name, want := range map[string]string{
			"größer": "", "": "the name of a patch has 1 to 256 bytes, not 0", strings.Repeat("x", 257): "the name of a patch has 1 to 256 bytes, not 257",
			"a\x00b": "the name of a patch", "not UTF-8": "the name of a patch",
		} {
			patched, err := durabletest.Start(env, o, name).Result()
			if want == "" && (err != nil || !patched) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%q: %v, %v", name, patched, err)
			}
		}
	}, o)
}

// A policy that there is not is refused, before anything is replaced by it.
func TestUnknownReusePolicy(t *testing.T) {
	o := durable.NewOrchestrator("O", func(_ *durable.Context, n int) (int, error) { return n, nil })
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		i := durabletest.Start(env, o, 1)
		_, _ = i.Result()
		for _, policy := range []durable.ReusePolicy{-1, 4} {
			_, err := o.Start(t.Context(), env.Client(), 2, durable.WithInstanceID(i.ID), durable.WithReuse(policy))
			if err == nil || !strings.Contains(err.Error(), "is not a reuse policy") {
				t.Errorf("policy %d: %v", policy, err)
			}
		}
		if got, err := i.Result(); got != 1 || err != nil {
			t.Errorf("the instance has %d, %v", got, err)
		}
	}, o)
}

// A single orchestrator is started whatever parameters its route has.
func TestHTTPStartBesideOtherParameters(t *testing.T) {
	app := durable.NewApp()
	one := durable.NewOrchestrator("One", func(_ *durable.Context, n int) (int, error) { return n, nil })
	two := durable.NewOrchestrator("Two", func(_ *durable.Context, n int) (int, error) { return n, nil })
	app.Register(one, two)
	app.HandleHTTP("Single", durable.HTTPStart(app.Client(), one))
	app.HandleHTTP("Both", durable.HTTPStart(app.Client(), one, two))
	durabletest.Options{App: app}.Run(t, func(t *testing.T, env *durabletest.Env) {
		for _, c := range []struct {
			function, key, value string
			status               int
		}{
			{"Single", "name", "alice", http.StatusAccepted},
			{"Single", "functionName", "one", http.StatusAccepted},
			{"Single", "functionName", "two", http.StatusNotFound},
			{"Both", "name", "two", http.StatusAccepted},
			{"Both", "functionName", "TWO", http.StatusAccepted},
			{"Both", "functionName", "three", http.StatusNotFound},
		} {
			r := httptest.NewRequest(http.MethodPost, "/api/x", strings.NewReader("5"))
			r.SetPathValue(c.key, c.value)
			w := httptest.NewRecorder()
			if env.HTTP(c.function).ServeHTTP(w, r); w.Code != c.status {
				t.Errorf("%s with %s=%s: %d %s", c.function, c.key, c.value, w.Code, w.Body)
			}
		}
	})
}

// A body that the orchestrator cannot read starts nothing.
func TestHTTPStartWithABodyThatIsNoInput(t *testing.T) {
	type order struct{ Cents int }
	app := durable.NewApp()
	ship := durable.NewOrchestrator("Ship", func(_ *durable.Context, o order) (int, error) { return o.Cents, nil })
	ping := durable.NewOrchestrator("Ping", func(*durable.Context, durable.None) (int, error) { return 1, nil })
	app.Register(ship, ping)
	app.HandleHTTP("Ship", durable.HTTPStart(app.Client(), ship))
	app.HandleHTTP("Ping", durable.HTTPStart(app.Client(), ping))
	durabletest.Options{App: app}.Run(t, func(t *testing.T, env *durabletest.Env) {
		started := 0
		for _, c := range []struct {
			function, body string
			status         int
			text           string
		}{
			{"Ship", `{"Cents":5}`, http.StatusAccepted, ""},
			{"Ship", `{"cents":5,"more":1}`, http.StatusAccepted, ""},
			{"Ship", ``, http.StatusAccepted, ""},
			{"Ship", `null`, http.StatusAccepted, ""},
			{"Ship", `"{\"Cents\":5}"`, http.StatusAccepted, ""}, // as the Core Tools send it
			{"Ship", `{"Cents":"five"}`, http.StatusBadRequest, `the body is no input of orchestrator \"Ship\": json: cannot unmarshal`},
			{"Ship", `[5]`, http.StatusBadRequest, "the body is no input"},
			{"Ship", `{"Cents":5`, http.StatusBadRequest, ""},
			{"Ping", `[5]`, http.StatusAccepted, ""},
		} {
			w := httptest.NewRecorder()
			env.HTTP(c.function).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/api/x", strings.NewReader(c.body)))
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.text) {
				t.Errorf("%s %s: %d %s", c.function, c.body, w.Code, w.Body)
			}
			if c.status == http.StatusAccepted {
				started++
			}
		}
		for _, err := range env.Client().List(t.Context(), durable.Query{}) {
			if started--; err != nil {
				t.Error(err)
			}
		}
		if started != 0 {
			t.Errorf("%d starts more were answered 202 than there are instances", started)
		}
	})
}

// A trigger that takes None does not look at its message.
func TestTriggerWithoutAMessage(t *testing.T) {
	app := durable.NewApp()
	runs := 0
	durable.HandleTrigger(app, "OnAnything", func(context.Context, durable.None, durable.Trigger) error { runs++; return nil })
	durable.HandleTrigger(app, "OnValue", func(context.Context, any, durable.Trigger) error { return nil })
	durabletest.Options{App: app}.Run(t, func(t *testing.T, env *durabletest.Env) {
		for i, message := range []any{nil, "", "plain text", 5, `{"a":1}`} {
			if err := env.Trigger("OnAnything", message); err != nil || runs != i+1 {
				t.Errorf("message %v: %v, %d runs", message, err, runs)
			}
		}
		if err := env.Trigger("OnValue", "{"); err == nil || !strings.Contains(err.Error(), "the message is no interface {}: ") {
			t.Errorf("no value at all: %v", err)
		}
	})
}

// What is nil is reported as a mistake, and not by a panic at its first use.
func TestNilIsNoFunction(t *testing.T) {
	var orchestrator *durable.Orchestrator[int, int]
	var activity *durable.Activity[int, int]
	var action *durable.Action[int]
	var handler http.HandlerFunc
	for name, c := range map[string]struct {
		make func(app *durable.App)
		want string
	}{
		"nothing":                {func(app *durable.App) { app.Register(nil) }, "a function that was registered is nil"},
		"an orchestrator":        {func(app *durable.App) { app.Register(orchestrator) }, "a function that was registered is nil"},
		"an activity":            {func(app *durable.App) { app.Register(activity) }, "a function that was registered is nil"},
		"an action":              {func(app *durable.App) { app.Register(action) }, "a function that was registered is nil"},
		"an activity with bound": {func(app *durable.App) { app.Register(activity.LimitConcurrency(1)) }, "a function that was registered is nil"},
		"the code of a trigger":  {func(app *durable.App) { durable.HandleTrigger[int](app, "OnInt", nil) }, `trigger function "OnInt" has no implementation: nil was given`},
		"an HTTP handler":        {func(app *durable.App) { app.HandleHTTP("Start", nil) }, `HTTP function "Start" has no handler: nil was given`},
		"a func of HTTP":         {func(app *durable.App) { app.HandleHTTP("Start", handler) }, `HTTP function "Start" has no handler: nil was given`},
	} {
		app := durable.NewApp()
		c.make(app)
		if err := app.Run(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
