package durable_test

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durable/codec"
	"github.com/durable-go/functions/durabletest"
)

func ExampleApp_UseActivityMiddleware() {
	hello := durable.NewActivity("Hello", func(_ context.Context, city string) (string, error) {
		if city == "" {
			return "", errors.New("no city")
		}
		return "Hello " + city + "!", nil
	})
	app := durable.NewApp()
	app.UseActivityMiddleware(func(next durable.ActivityHandler) durable.ActivityHandler {
		return func(ctx context.Context, input []byte) ([]byte, error) {
			output, err := next(ctx, input)
			fmt.Printf("%s(%s) = %s, %v\n", durable.ActivityInfoFromContext(ctx).Activity, input, output, err)
			return output, err
		}
	})
	chain := durable.NewOrchestrator("Chain", func(ctx *durable.Context, cities []string) ([]string, error) {
		return durable.Map(ctx, cities, hello, durable.WithMaxConcurrency(1))
	})
	app.Register(chain, hello)
	durabletest.Options{App: app}.Example(func(env *durabletest.Env) {
		_, _ = durabletest.Start(env, chain, []string{"Tokyo", ""}).Result()
	})
	// Output:
	// Hello("Tokyo") = "Hello Tokyo!", <nil>
	// Hello("") = , no city
}

func ExampleApp_UseOrchestratorMiddleware() {
	errMaintenance := errors.New("we are closed on Saturdays")
	app := durable.NewApp()
	app.UseOrchestratorMiddleware(func(next durable.OrchestratorHandler) durable.OrchestratorHandler {
		return func(ctx *durable.Context, input []byte) ([]byte, error) {
			// Orchestrator code: the clock is that of the Context.
			if ctx.Now().Weekday() == 6 {
				return nil, errMaintenance
			}
			return next(ctx, input)
		}
	})
	order := durable.NewOrchestrator("Order", func(_ *durable.Context, item string) (string, error) { return item, nil })
	app.Register(order)
	durabletest.Options{App: app}.Example(func(env *durabletest.Env) { // it begins on a Saturday
		_, err := durabletest.Start(env, order, "tea", durable.WithInstanceID("order-1")).Result()
		fmt.Println(err)
	})
	// Output: orchestration order-1 (Order): Failed: Orchestrator function 'Order' failed: we are closed on Saturdays
}

// gobs is a serializer whose bytes are no text.
type gobs struct{}

func (gobs) Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(v)
	return b.Bytes(), err
}

func (gobs) Unmarshal(data []byte, v any) error {
	return gob.NewDecoder(bytes.NewReader(data)).Decode(v)
}

func ExampleApp_UseSerializer() {
	type account struct {
		Owner    string
		Balances []complex128 // no JSON can be made of it
	}
	sum := durable.NewActivity("Sum", func(_ context.Context, a account) (int, error) {
		total := 0
		for _, b := range a.Balances {
			total += int(real(b) + imag(b))
		}
		return total, nil
	})
	audit := durable.NewOrchestrator("Audit", func(ctx *durable.Context, a account) (int, error) {
		return sum.Call(ctx, a).Await()
	})
	app := durable.NewApp()
	app.UseSerializer(gobs{})
	app.Register(audit, sum)
	durabletest.Options{App: app}.Example(func(env *durabletest.Env) {
		fmt.Println(durabletest.Start(env, audit, account{"Ann", []complex128{20, 22i}}).Result())
	})
	// Output: 42 <nil>
}

// deflate compresses payloads.
type deflate struct{}

func (deflate) Encode(_ context.Context, plain []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}

func (deflate) Decode(_ context.Context, stored []byte) ([]byte, error) {
	return io.ReadAll(flate.NewReader(bytes.NewReader(stored)))
}

func ExampleApp_UsePayloadCodec() {
	hello := durable.NewActivity("Hello", func(_ context.Context, city string) (string, error) {
		return "Hello " + city + "!", nil
	})
	key := []byte("0123456789abcdef0123456789abcdef") // from a key vault
	encryption, err := codec.AESGCM(key)
	if err != nil {
		fmt.Println(err)
		return
	}
	app := durable.NewApp()
	app.UsePayloadCodec(codec.Chain(deflate{}, encryption))
	chain := durable.NewOrchestrator("Chain", func(ctx *durable.Context, city string) (string, error) {
		return hello.Call(ctx, city).Await()
	})
	app.Register(chain, hello)
	durabletest.Options{App: app}.Example(func(env *durabletest.Env) {
		fmt.Println(durabletest.Start(env, chain, "Tokyo").Result())
	})
	// Output: Hello Tokyo! <nil>
}

// An HTTP start by hand, where the id is the caller's: a request that is repeated, even
// after the order has been processed, finds the instance that is there.
func ExampleReadInput() {
	type order struct {
		ID string `json:"id"`
	}
	process := durable.NewOrchestrator("ProcessOrder", func(_ *durable.Context, o order) (string, error) {
		return "processed " + o.ID, nil
	})
	start := func(client *durable.Client) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			var o order
			input, err := durable.ReadInput(w, r)
			if err != nil {
				durable.WriteStartError(w, err)
				return
			}
			if json.Unmarshal(input, &o) != nil || o.ID == "" {
				http.Error(w, "want an order with an id", http.StatusBadRequest)
				return
			}
			instance, err := process.Start(r.Context(), client, o, durable.WithInstanceID("order-"+o.ID), durable.WithReuse(durable.ReturnExisting))
			if err != nil {
				durable.WriteStartError(w, err)
				return
			}
			if err := client.WriteCheckStatus(w, r, instance.ID); err != nil {
				durable.WriteStartError(w, err)
			}
		}
	}
	app := durable.NewApp()
	app.Register(process)
	app.HandleHTTP("StartOrder", start(app.Client()))
	durabletest.Options{App: app}.Example(func(env *durabletest.Env) {
		for _, body := range []string{`{"id": "7"}`, `{"id": "7"}`, `"seven"`} {
			answer := httptest.NewRecorder()
			env.HTTP("StartOrder").ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/api/orders", strings.NewReader(body)))
			fmt.Println(answer.Code)
			env.RunUntilIdle()
		}
		fmt.Println(durabletest.Find[string](env, "order-7").Result())
	})
	// Output:
	// 202
	// 202
	// 400
	// processed 7 <nil>
}
