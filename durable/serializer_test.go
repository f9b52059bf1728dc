package durable_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// words is a serializer whose bytes are text and no JSON.
type words struct{}

func (words) Marshal(v any) ([]byte, error) { return fmt.Append(nil, "word:", v), nil }

func (words) Unmarshal(data []byte, v any) error {
	_, err := fmt.Sscan(strings.TrimPrefix(string(data), "word:"), v)
	return err
}

// TestSerializer runs an orchestrator whose every value goes through another
// serializer, and looks at what is stored.
func TestSerializer(t *testing.T) {
	double := durable.NewActivity("Double", func(_ context.Context, n int) (int, error) { return 2 * n, nil })
	orchestrator := durable.NewOrchestrator("Serialized", func(ctx *durable.Context, n int) (int, error) {
		ctx.SetCustomStatus(n)
		doubled, err := double.Call(ctx, n).Await()
		if err != nil {
			return 0, err
		}
		event, err := durable.WaitForEvent[int](ctx, "more").Await()
		return doubled + event + durable.SideEffect(ctx, func() int { return 100 }), err
	})
	for name, c := range map[string]struct {
		use    durable.Serializer
		output string
	}{
		"JSON":   {nil, "117"},
		"text":   {words{}, `"word:117"`},
		"binary": {gobs{}, `"data:;base64,BAQA/+o="`},
	} {
		t.Run(name, func(t *testing.T) {
			app := durable.NewApp()
			app.UseSerializer(c.use)
			app.Register(orchestrator, double)
			durabletest.Options{App: app}.Run(t, func(t *testing.T, env *durabletest.Env) {
				i := begin(env, orchestrator, 5)
				i.RaiseEvent("more", 7)
				if sum, err := i.Result(); sum != 117 || err != nil {
					t.Errorf("result %v, %v", sum, err)
				}
				if got := string(i.Status().Output); got != c.output {
					t.Errorf("output %s, want %s", got, c.output)
				}
			})
		})
	}
}

// TestSerializerPassesRawJSON: what comes over HTTP is not encoded again.
func TestSerializerPassesRawJSON(t *testing.T) {
	echo := durable.NewOrchestrator("Echo", func(_ *durable.Context, in json.RawMessage) (json.RawMessage, error) { return in, nil })
	app := durable.NewApp()
	app.UseSerializer(gobs{})
	app.Register(echo)
	durabletest.Options{App: app}.Run(t, func(t *testing.T, env *durabletest.Env) {
		i := begin(env, echo, json.RawMessage(`{"n":1}`))
		env.RunUntilIdle()
		if got := string(i.Status().Output); got != `{"n":1}` {
			t.Errorf("output %s", got)
		}
	})
}
