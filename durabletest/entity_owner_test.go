package durabletest_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// free checks that an entity whose lock was held runs an operation of another caller.
func free(t *testing.T, env *durabletest.Env, keys ...string) {
	t.Helper()
	for _, key := range keys {
		done := make(chan error, 1)
		go func() {
			_, err := deposits.Do(t.Context(), env.Client(), key, 10)
			done <- err
		}()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(5 * time.Minute):
			t.Fatalf("the lock of %s is not released", key)
		}
	}
}

// A lock is released when its owner was purged as soon as it had ended, wherever the
// process ends meanwhile.
func TestLocksOfAPurgedOwner(t *testing.T) {
	t.Parallel()
	durabletest.EveryCrash(t, func(t *testing.T, env *durabletest.Env) {
		in := durabletest.Start(env, holders, "hold")
		<-time.After(time.Minute)
		in.Terminate("enough")
		for {
			_, err := env.Client().Purge(t.Context(), in.ID)
			if err == nil || errors.Is(err, durable.ErrNotFound) {
				break
			}
			<-time.After(10 * time.Millisecond)
		}
		free(t, env, "x", "y")
	}, accounts, holders)
}

// The lock of an owner of which nothing is left is taken from it: at the latest half a
// minute after somebody waits.
func TestLocksOfAVanishedOwner(t *testing.T) {
	t.Parallel()
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		in := durabletest.Start(env, holders, "hold")
		<-time.After(time.Minute)
		e := locked(t, env)
		if len(e) != 1 || e[0] != "@account@x by "+in.ID {
			t.Errorf("locked are %v", e)
		}
		env.Vanish(in.ID)
		env.Crash()
		free(t, env, "x", "y")
		if e := locked(t, env); len(e) > 0 {
			t.Errorf("locked are %v", e)
		}
	}, accounts, holders)
}

// locked are the entities with a state that a list shows as locked, with the owners.
func locked(t *testing.T, env *durabletest.Env) (out []string) {
	t.Helper()
	<-time.After(2 * time.Second) // a list shows a change a moment later
	for e, err := range env.Client().ListEntities(t.Context(), durable.EntityQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.LockedBy != "" {
			out = append(out, fmt.Sprint(e.ID, " by ", e.LockedBy))
		}
	}
	return out
}

// An owner whose code has changed within its critical section gives its locks back when
// that fails it; one that is parked keeps them, visibly, until it is terminated.
func TestLocksOfAnOwnerWhoseCodeHasChanged(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{"fail", "park"} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			changed := false
			changing := durable.NewOrchestrator("Changing", func(ctx *durable.Context, _ durable.None) (int64, error) {
				return durable.Critical(ctx, func() (int64, error) {
					if changed {
						return withdraws.Call(ctx, "x", 1).Await()
					}
					if _, err := deposits.Call(ctx, "x", 1).Await(); err != nil {
						return 0, err
					}
					_, err := durable.WaitForEvent[string](ctx, "Go").Await()
					return 0, err
				}, accounts.ID("x"), accounts.ID("y"))
			})
			o := durabletest.Options{Settings: `{"nonDeterminism": "` + setting + `"}`, Cached: true}
			o.Run(t, func(t *testing.T, env *durabletest.Env) {
				in := durabletest.Start(env, changing, durable.None{})
				<-time.After(time.Minute)
				changed = true
				env.Crash()
				in.RaiseEvent("Go", "")
				<-time.After(time.Minute)
				if setting == "park" {
					if in.Parked() == nil || len(locked(t, env)) != 1 {
						t.Errorf("parked: %v, locked: %v", in.Parked(), locked(t, env))
					}
					in.Terminate("enough")
				} else {
					check(t, in.Status().RuntimeStatus, nil, "Failed")
				}
				free(t, env, "x", "y")
			}, accounts, changing)
		})
	}
}
