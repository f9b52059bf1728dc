package fake_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"

	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/storage/fake"
)

// Example is a test of what a client makes of an answer that it does not get, and
// of a bad day.
func Example() {
	account := fake.NewStrict(0)
	connection, _ := storage.Parse(account.ConnectionString())
	opened, _ := storage.Open(connection, storage.Options{Transport: account})
	account.Inject(fake.Nth("queue", "create queue", 1, fake.Fault{Lost: true}))
	_, err := opened.Queues.CreateQueue(context.Background(), "orders", nil)
	fmt.Println(err, account.Counts()[0].Requests) // the SDK has tried again
	account.Inject(fake.BadDay(1, 20*time.Second))
	// Output: <nil> 2
}

// strictAccount is a strict account with a table, a queue and clients that do not
// try again.
func strictAccount(t *testing.T) (*fake.Account, *storage.Account) {
	t.Helper()
	account := fake.NewStrict(0)
	connection, err := storage.Parse(account.ConnectionString())
	must(t, err)
	opened, err := storage.Open(connection, storage.Options{Transport: account, MaxRetries: -1})
	must(t, err)
	_, err = opened.Tables.CreateTable(t.Context(), "Rows", nil)
	must(t, err)
	_, err = opened.Queues.CreateQueue(t.Context(), "queue1", nil)
	must(t, err)
	return account, opened
}

// TestFaults: whether a request with a fault was applied, and what its sender is
// told.
func TestFaults(t *testing.T) {
	for name, c := range map[string]struct {
		fault   fake.Fault
		applied bool
		is      error
		status  int
	}{
		"lost":      {fake.Fault{Lost: true}, true, fake.ErrLost, 0},
		"unsent":    {fake.Fault{Unsent: true}, false, fake.ErrUnsent, 0},
		"busy":      {fake.Busy(time.Second), false, nil, 503},
		"throttled": {fake.Throttled(0), false, nil, 429},
		"slow":      {fake.Fault{Slow: 11 * time.Second}, true, context.DeadlineExceeded, 0},
		"delayed":   {fake.Fault{Delay: 11 * time.Second}, false, context.DeadlineExceeded, 0},
		"a little":  {fake.Fault{Delay: time.Second, Slow: time.Second}, true, nil, 0},
		"none":      {fake.Fault{}, true, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				account, opened := strictAccount(t)
				account.Inject(fake.Nth("table", "insert", 1, c.fault))
				rows := opened.Tables.NewClient("Rows")
				_, err := rows.AddEntity(t.Context(), []byte(`{"PartitionKey":"p","RowKey":"r"}`), nil)
				got := 0
				if failed := (*azcore.ResponseError)(nil); errors.As(err, &failed) {
					got = failed.StatusCode
				}
				if got != c.status || c.is != nil && !errors.Is(err, c.is) || c.is == nil && c.status == 0 && err != nil {
					t.Errorf("got %v", err)
				}
				_, err = rows.GetEntity(t.Context(), "p", "r", nil)
				if applied := err == nil; applied != c.applied {
					t.Errorf("applied %v, want %v", applied, c.applied)
				}
			})
		})
	}
}

// TestFaultInside: a transaction may be refused inside its reply.
func TestFaultInside(t *testing.T) {
	account, opened := strictAccount(t)
	for _, inside := range []bool{true, false} {
		f := fake.Busy(0)
		f.Inside = inside
		account.Inject(fake.Nth("table", "transaction", 1, f))
		b := storage.NewBatch("Rows")
		b.Insert(opened, []byte(`{"PartitionKey":"p","RowKey":"r"}`))
		_, err := opened.Submit(t.Context(), b)
		if failed := new(storage.BatchError); err == nil || errors.As(err, &failed) {
			t.Errorf("inside %v: %v is what the service refuses for good", inside, err)
		}
	}
}

// TestHold keeps a request until it is let go, and others pass it.
func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account, opened := strictAccount(t)
		let := make(chan struct{})
		account.Inject(fake.Nth("queue", "put", 1, fake.Fault{Hold: let}))
		queue := opened.Queues.NewQueueClient("queue1")
		done := make(chan error, 1)
		go func() {
			_, err := queue.EnqueueMessage(t.Context(), "first", nil)
			done <- err
		}()
		synctest.Wait()
		_, err := queue.EnqueueMessage(t.Context(), "second", nil)
		must(t, err)
		close(let)
		must(t, <-done)
		got, err := queue.DequeueMessages(t.Context(), &azqueue.DequeueMessagesOptions{NumberOfMessages: to.Ptr(int32(2))})
		must(t, err)
		if len(got.Messages) != 2 || *got.Messages[0].MessageText != "second" {
			t.Errorf("%d messages, the first %q", len(got.Messages), *got.Messages[0].MessageText)
		}
	})
}

// TestFaultyPages: pages may be short and empty, and all rows come.
func TestFaultyPages(t *testing.T) {
	account, opened := strictAccount(t)
	rows := opened.Tables.NewClient("Rows")
	for i := range 7 {
		_, err := rows.AddEntity(t.Context(), fmt.Appendf(nil, `{"PartitionKey":"p","RowKey":"%d"}`, i), nil)
		must(t, err)
	}
	account.Inject(fake.Either(fake.Nth("table", "query", 3, fake.Fault{EmptyPage: true}), fake.Nth("table", "query", 0, fake.Fault{Page: 3})))
	var sizes []int
	for pager := rows.NewListEntitiesPager(&aztables.ListEntitiesOptions{}); pager.More(); {
		page, err := pager.NextPage(t.Context())
		must(t, err)
		sizes = append(sizes, len(page.Entities))
	}
	if !reflect.DeepEqual(sizes, []int{0, 3, 0, 3, 1}) {
		t.Errorf("pages of %v rows", sizes)
	}
}

// TestBadDayRepeats: the faults follow from the seed and the requests of a kind,
// and there are some of each sort.
func TestBadDayRepeats(t *testing.T) {
	day, again, other := fake.BadDay(7, time.Minute), fake.BadDay(7, time.Minute), fake.BadDay(8, time.Minute)
	sorts, same := map[string]int{}, 0
	const all = 5000
	for n := range all {
		r := fake.Request{Kind: fake.Kind{Service: "table", Operation: "query", Target: "T"}, N: n, Method: http.MethodGet}
		f := day(r)
		if !reflect.DeepEqual(f, again(r)) {
			t.Fatalf("request %d: another fault", n)
		}
		if reflect.DeepEqual(f, other(r)) {
			same++
		}
		for sort, has := range map[string]bool{
			"lost": f.Lost, "unsent": f.Unsent, "busy": f.Status == 503, "throttled": f.Status == 429, "timed out": f.Status == 500,
			"retry after": f.RetryAfter > 0, "slow": f.Slow > 0, "delayed": f.Delay > 0, "empty": f.EmptyPage, "short": f.Page > 0, "inside": f.Inside,
		} {
			if has {
				sorts[sort]++
			}
		}
	}
	if len(sorts) != 11 || same == all {
		t.Errorf("faults %v, %d of %d are those of another seed", sorts, same, all)
	}
}
