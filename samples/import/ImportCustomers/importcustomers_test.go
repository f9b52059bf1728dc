package importcustomers_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
	importcustomers "github.com/durable-go/functions/samples/import/ImportCustomers"
	readfile "github.com/durable-go/functions/samples/import/ReadFile"
	savecustomers "github.com/durable-go/functions/samples/import/SaveCustomers"
)

var functions = []durable.Registration{importcustomers.Orchestrator, readfile.Activity, savecustomers.Activity}

// fileOf replaces the file by one of n customers.
func fileOf(env *durabletest.Env, n int) {
	durabletest.Replace(env, readfile.Activity, func(context.Context, string) (all []savecustomers.Customer, err error) {
		for i := range n {
			all = append(all, savecustomers.Customer{Name: fmt.Sprint("customer ", i)})
		}
		return all, nil
	})
}

// A file is saved in batches of a hundred.
func TestBatches(t *testing.T) {
	for rows, batches := range map[int]int{0: 0, 1: 1, 100: 1, 250: 3} {
		t.Run(fmt.Sprint(rows), func(t *testing.T) {
			durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
				fileOf(env, rows)
				got, err := durabletest.Start(env, importcustomers.Orchestrator, "https://files.example/a.csv").Result()
				if err != nil || got != rows || len(env.Calls("SaveCustomers")) != batches {
					t.Errorf("got %d, %v in %d batches", got, err, len(env.Calls("SaveCustomers")))
				}
			}, functions...)
		})
	}
}

// A database that is away for a moment loses no batch, and a file of another form is
// not tried again.
func TestFailures(t *testing.T) {
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		fileOf(env, 250)
		env.Fail("SaveCustomers", 4, errors.New("no connection"))
		if got, err := durabletest.Start(env, importcustomers.Orchestrator, "https://files.example/a.csv").Result(); err != nil || got != 250 {
			t.Errorf("got %d, %v", got, err)
		}
		env.Fail("ReadFile", durabletest.Always, durable.NonRetryable(readfile.ErrFormat))
		before := len(env.Calls("ReadFile"))
		if _, err := durabletest.Start(env, importcustomers.Orchestrator, "https://files.example/b.csv").Result(); !errors.Is(err, readfile.ErrFormat) {
			t.Error(err)
		}
		if n := len(env.Calls("ReadFile")) - before; n != 1 {
			t.Errorf("tried %d times", n)
		}
	}, functions...)
}

// The process ends at each of its storage calls in turn; every customer is saved.
func TestImportOutlivesCrashes(t *testing.T) {
	durabletest.EveryCrash(t, func(t *testing.T, env *durabletest.Env) {
		fileOf(env, 250)
		if got, err := durabletest.Start(env, importcustomers.Orchestrator, "https://files.example/a.csv").Result(); err != nil || got != 250 {
			t.Errorf("got %d, %v", got, err)
		}
	}, functions...)
}
