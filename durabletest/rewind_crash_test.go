package durabletest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// A rewind whose process ends at any call takes every failed child with it, also when
// what it began fails again and is rewound once more.
func TestRewindIsWholeAfterACrash(t *testing.T) {
	act := durable.NewActivity("Act", func(_ context.Context, n int) (int, error) { return n, nil })
	child := durable.NewOrchestrator("Child", func(ctx *durable.Context, n int) (int, error) { return act.Call(ctx, n).Await() })
	root := durable.NewOrchestrator("Root", func(ctx *durable.Context, n int) ([]int, error) {
		var tasks []*durable.Task[int]
		for k := range n {
			tasks = append(tasks, child.Call(ctx, k, durable.WithInstanceID(fmt.Sprint("c", k))))
		}
		return durable.All(tasks...)
	})
	for _, test := range []struct{ children, rewinds int }{{1, 1}, {2, 2}} {
		t.Run(fmt.Sprintf("%d children, %d rewinds", test.children, test.rewinds), func(t *testing.T) {
			durabletest.EveryCrash(t, func(t *testing.T, env *durabletest.Env) {
				env.Fail("Act", durabletest.Always, errors.New("down"))
				i := durabletest.Start(env, root, test.children, durable.WithInstanceID("root"))
				for n := range test.rewinds {
					if _, err := i.Result(); err == nil {
						t.Fatal("no failure")
					}
					if n == test.rewinds-1 {
						env.Fail("Act", 0, nil)
					}
					i.Rewind(fmt.Sprint("rewind ", n))
				}
				if got, err := i.Result(); len(got) != test.children || err != nil {
					t.Error(got, err)
				}
			}, root, child, act)
		})
	}
}
