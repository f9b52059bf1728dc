// Package orders_test is an order system written with the public API alone, as a
// user would write it: a program against which the API is judged.
package orders_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

type (
	order struct {
		ID    string
		Items []string
		Cents int
	}
	receipt  struct{ Payment string }
	decision struct {
		Approved bool
		By       string
	}
	progress struct{ Step string }
	watch    struct{ Parcel string }
	sweep    struct{ Rounds int }
)

var (
	errDeclined = errors.New("the card was declined")

	reserve = durable.DeclareAction[string]("Reserve")
	release = durable.DeclareAction[string]("Release")
	charge  = durable.DeclareActivity[order, receipt]("Charge")
	ship    = durable.DeclareActivity[order, string]("Ship")
	arrived = durable.DeclareActivity[string, bool]("Arrived")
	expire  = durable.DeclareAction[durable.None]("Expire")

	decided = durable.NewEvent[decision]("Decided")

	processOrder = durable.NewOrchestrator("ProcessOrder", process)
	shipItems    = durable.NewOrchestrator("ShipItems", shipAll)
	monitor      = durable.DeclareOrchestrator[watch, string]("Monitor")
	janitor      = durable.DeclareOrchestrator[sweep, durable.None]("Janitor")
)

func init() { durable.RegisterErrorValue("orders.declined", errDeclined) }

// process reserves, asks for approval, charges and ships. What was reserved is
// released where it fails.
func process(ctx *durable.Context, o order) (parcel string, err error) {
	defer func() {
		if err != nil && !durable.IsContinueAsNew(err) {
			_, undone := durable.Map(ctx, o.Items, release)
			err = errors.Join(err, undone)
		}
	}()
	ctx.SetCustomStatus(progress{"reserving"})
	if _, err := durable.Map(ctx, o.Items, reserve, durable.WithMaxConcurrency(5)); err != nil {
		return "", err
	}
	if o.Cents > 1000_00 {
		ctx.SetCustomStatus(progress{"waiting for approval"})
		d, err := decided.Wait(ctx, durable.WithTimeout(72*time.Hour)).Await()
		if err != nil {
			return "", err
		}
		if !d.Approved {
			return "", fmt.Errorf("refused by %s", d.By)
		}
	}
	ctx.SetCustomStatus(progress{"charging"})
	if _, err := charge.Call(ctx, o, durable.WithTotalTimeout(time.Hour)).Await(); err != nil {
		return "", err
	}
	return ship.Call(ctx, o).Await()
}

// shipAll ships many orders, and reports which could not be.
func shipAll(ctx *durable.Context, orders []order) (left []string, err error) {
	for i, r := range durable.MapSettled(ctx, orders, ship, durable.WithMaxConcurrency(20)) {
		if r.Err != nil {
			left = append(left, orders[i].ID)
		}
	}
	return left, nil
}

func watchParcel(ctx *durable.Context, w watch) (string, error) {
	there, err := arrived.Call(ctx, w.Parcel).Await()
	if err != nil || there {
		return "arrived", err
	}
	if err := ctx.Sleep(6 * time.Hour); err != nil {
		return "", err
	}
	return monitor.ContinueAsNew(ctx, w)
}

func clean(ctx *durable.Context, s sweep) (durable.None, error) {
	if err := expire.Do(ctx, durable.None{}); err != nil {
		return durable.None{}, err
	}
	if err := ctx.Sleep(24 * time.Hour); err != nil {
		return durable.None{}, err
	}
	return janitor.ContinueAsNew(ctx, sweep{s.Rounds + 1})
}

// shop is what the activities work on.
type shop struct {
	mu       sync.Mutex // guards the rest
	reserved map[string]int
	tries    int
	asked    int
	swept    int
}

func (s *shop) add(item string, n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reserved[item] += n
	return nil
}

func (s *shop) charge(_ context.Context, o order) (receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tries++; o.Cents == 13 {
		return receipt{}, durable.NonRetryable(errDeclined)
	}
	if s.tries < 3 {
		return receipt{}, errors.New("the bank does not answer")
	}
	return receipt{"payment of " + o.ID}, nil
}

func (s *shop) ship(_ context.Context, o order) (string, error) {
	if strings.HasSuffix(o.ID, "7") {
		return "", durable.NonRetryable(errors.New("no such address"))
	}
	return "parcel of " + o.ID, nil
}

// app is the Functions app.
func (s *shop) app() *durable.App {
	app := durable.NewApp()
	app.UseRetry(durable.RetryPolicy{MaxAttempts: 5, FirstInterval: time.Second, Backoff: 2})
	app.Register(processOrder, shipItems, monitor.Implement(watchParcel), janitor.Implement(clean),
		reserve.Implement(func(_ context.Context, item string) error { return s.add(item, 1) }),
		release.Implement(func(_ context.Context, item string) error { return s.add(item, -1) }),
		charge.Implement(s.charge), ship.Implement(s.ship),
		arrived.Implement(func(context.Context, string) (bool, error) { s.asked++; return s.asked == 3, nil }),
		expire.Implement(func(context.Context, durable.None) error { s.swept++; return nil }))
	client := app.Client()
	durable.HandleTrigger(app, "OnOrder", func(ctx context.Context, o order, _ durable.Trigger) error {
		_, err := processOrder.Start(ctx, client, o, durable.WithInstanceID("order-"+o.ID))
		return err
	})
	app.HandleHTTP("StartOrder", durable.HTTPStart(client, processOrder))
	return app
}

// inShop runs a test with the app, and the client of another process.
func inShop(t *testing.T, test func(t *testing.T, s *shop, env *durabletest.Env, client *durable.Client)) {
	s := &shop{reserved: map[string]int{}}
	durabletest.Options{App: s.app()}.Run(t, func(t *testing.T, env *durabletest.Env) { test(t, s, env, env.Client()) })
}

func TestQueueTriggeredOrderRunsOnce(t *testing.T) {
	inShop(t, func(t *testing.T, s *shop, env *durabletest.Env, client *durable.Client) {
		o := order{ID: "1", Items: []string{"book", "pen"}, Cents: 20_00}
		for range 3 { // the queue delivers the message three times
			if err := env.Trigger("OnOrder", o); err != nil {
				t.Fatal(err)
			}
			env.RunUntilIdle()
		}
		out, err := processOrder.Get(client, "order-1").Result(t.Context())
		if out != "parcel of 1" || err != nil || s.tries != 3 || s.reserved["book"] != 1 {
			t.Errorf("%q, %v; %d charges, reserved %v", out, err, s.tries, s.reserved)
		}
	})
}

func TestDeclinedOrderIsUndone(t *testing.T) {
	inShop(t, func(t *testing.T, s *shop, env *durabletest.Env, client *durable.Client) {
		i := durabletest.Start(env, processOrder, order{ID: "2", Items: []string{"book"}, Cents: 13})
		_, err := i.Result()
		var failed *durable.TaskError
		if !errors.Is(err, errDeclined) || !errors.As(err, &failed) || failed.Activity != "Charge" {
			t.Errorf("got %v", err)
		}
		if s.tries != 1 || s.reserved["book"] != 0 {
			t.Errorf("%d charges, reserved %v", s.tries, s.reserved)
		}
	})
}

func TestApproval(t *testing.T) {
	for name, c := range map[string]struct {
		decision *decision
		want     string
	}{
		"approved": {&decision{true, "Ann"}, "parcel of 3"},
		"refused":  {&decision{false, "Ann"}, "refused by Ann"},
		"late":     {nil, durable.ErrTimeout.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			inShop(t, func(t *testing.T, s *shop, env *durabletest.Env, client *durable.Client) {
				i := durabletest.Start(env, processOrder, order{ID: "3", Items: []string{"car"}, Cents: 9000_00})
				env.Advance(time.Hour)
				if got := i.CustomStatus(); got != `{"Step":"waiting for approval"}` {
					t.Errorf("progress %s", got)
				}
				if c.decision != nil {
					if err := decided.Raise(t.Context(), client, i.ID, *c.decision); err != nil {
						t.Fatal(err)
					}
				}
				out, err := i.Result()
				if got := fmt.Sprint(out, err); !strings.Contains(got, c.want) {
					t.Errorf("got %s, want %s", got, c.want)
				}
			})
		})
	}
}

func TestTwoHundredWithPartialFailure(t *testing.T) {
	inShop(t, func(t *testing.T, _ *shop, env *durabletest.Env, _ *durable.Client) {
		orders := make([]order, 200)
		for i := range orders {
			orders[i].ID = fmt.Sprint(i)
		}
		left, err := durabletest.Start(env, shipItems, orders).Result()
		if err != nil || len(left) != 20 || left[0] != "7" || left[19] != "197" {
			t.Errorf("%v, %v", left, err)
		}
	})
}

func TestMonitorAndJanitor(t *testing.T) {
	inShop(t, func(t *testing.T, s *shop, env *durabletest.Env, client *durable.Client) {
		eternal := durabletest.Start(env, janitor, sweep{}, durable.WithInstanceID("janitor"))
		out, err := durabletest.Start(env, monitor, watch{"p"}).Result()
		if out != "arrived" || err != nil || env.Elapsed() < 12*time.Hour {
			t.Errorf("%q, %v after %v", out, err, env.Elapsed())
		}
		env.Advance(3 * 24 * time.Hour)
		if s.swept != 4 {
			t.Errorf("swept %d times", s.swept)
		}
		if err := janitor.Get(client, eternal.ID).Terminate(t.Context(), "closing"); err != nil {
			t.Error(err)
		}
		env.RunUntilIdle()
		if status := eternal.Status(); !status.Finished() || status.RuntimeStatus != durable.StatusTerminated {
			t.Errorf("the janitor is %s", status.RuntimeStatus)
		}
	})
}

func TestOrderByHTTP(t *testing.T) {
	inShop(t, func(t *testing.T, _ *shop, env *durabletest.Env, client *durable.Client) {
		answer := httptest.NewRecorder()
		env.HTTP("StartOrder").ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/api/orders?id=by-http", strings.NewReader(`{"ID":"5"}`)))
		env.RunUntilIdle()
		status, err := client.WaitForCompletion(t.Context(), "by-http")
		if answer.Code != http.StatusAccepted || err != nil || string(status.Output) != `"parcel of 5"` {
			t.Errorf("%d; %+v, %v", answer.Code, status, err)
		}
	})
}
