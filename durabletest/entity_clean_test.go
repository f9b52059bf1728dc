package durabletest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// Cleaning removes what deleted entities have left and releases locks whose owners are
// gone, and touches nothing that is in use.
func TestCleanEntities(t *testing.T) {
	t.Parallel()
	all := durable.EntityCleaning{RemoveEmpty: true, EmptyFor: time.Minute, ReleaseOrphanedLocks: true}
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		ctx, c := t.Context(), env.Client()
		request := durable.WithRequestID("6f1b2f58-3f3e-4c5c-9d3b-9f6f0f2a7f11")
		for _, key := range []string{"used", "deleted"} {
			n, err := deposits.Do(ctx, c, key, 5, request)
			check(t, n, err, 5)
		}
		if _, err := closes.Do(ctx, c, "deleted", durable.None{}); err != nil {
			t.Fatal(err)
		}
		if err := deposits.Send(ctx, c, "deleted", 7, durable.WithDeliverAt(time.Now().Add(time.Hour))); err != nil {
			t.Fatal(err)
		}
		holder := durabletest.Start(env, holders, "hold") // of x and y
		<-time.After(5 * time.Second)
		done, err := c.CleanEntities(ctx, all)
		check(t, fmt.Sprint(done), err, "{0 0}") // the deleted one is too young
		<-time.After(2 * time.Minute)
		done, err = c.CleanEntities(ctx, durable.EntityCleaning{})
		check(t, fmt.Sprint(done), err, "{0 0}")
		done, err = c.CleanEntities(ctx, all)
		check(t, fmt.Sprint(done), err, "{1 0}") // the owner of the locks runs
		env.Vanish(holder.ID)
		done, err = c.CleanEntities(ctx, all)
		check(t, fmt.Sprint(done), err, "{0 2}")
		<-time.After(5 * time.Second)
		if left := locked(t, env); len(left) > 0 {
			t.Errorf("locked are %v", left)
		}
		n, err := deposits.Do(ctx, c, "deleted", 5, request)
		check(t, n, err, 5) // the answer of then
		n, err = balances.Do(ctx, c, "deleted", durable.None{})
		check(t, n, err, 0)
		<-time.After(time.Hour)
		n, err = balances.Do(ctx, c, "deleted", durable.None{})
		check(t, n, err, 7) // what waited was kept
		n, err = balances.Do(ctx, c, "used", durable.None{})
		check(t, n, err, 5)
	}, accounts, holders)
}
