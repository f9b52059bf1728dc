package fake_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
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

// open returns clients of an account whose requests take ten milliseconds.
func open(t *testing.T) (*fake.Account, *storage.Account) {
	account := fake.New(10 * time.Millisecond)
	connection, err := storage.Parse(account.ConnectionString())
	must(t, err)
	opened, err := storage.Open(connection, storage.Options{Transport: account})
	must(t, err)
	return account, opened
}

// Requests take virtual time, side by side where they are sent so.
func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, account := open(t)
		began := time.Now()
		for i := range 5 {
			go func() { _, _ = account.Queues.CreateQueue(t.Context(), fmt.Sprint("queue", i), nil) }()
		}
		_, err := account.Queues.CreateQueue(t.Context(), "other", nil)
		must(t, err)
		if took := time.Since(began); took != 10*time.Millisecond {
			t.Errorf("six requests side by side took %v", took)
		}
	})
}

// A request whose context ends before its time is not applied.
func TestCancelledRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account, _ := open(t)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://queue.fake/late", nil)
		must(t, err)
		resp, err := account.Do(req)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if resp != nil {
			_ = resp.Body.Close()
		}
		if counts := account.Counts(); len(counts) != 0 {
			t.Errorf("the request was applied: %v", counts)
		}
	})
}

// Messages are hidden and expire in virtual time, and come in the order in
// which they became visible.
func TestVisibility(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, account := open(t)
		_, err := account.Queues.CreateQueue(t.Context(), "q", nil)
		must(t, err)
		queue := account.Queues.NewQueueClient("q")
		for i, hide := range []int32{30, 0, 10, 0} {
			_, err := queue.EnqueueMessage(t.Context(), fmt.Sprint(i), &azqueue.EnqueueMessageOptions{VisibilityTimeout: to.Ptr(hide), TimeToLive: to.Ptr(int32(3600))})
			must(t, err)
		}
		expect := func(want string, dequeued int64) {
			t.Helper()
			resp, err := queue.DequeueMessages(t.Context(), &azqueue.DequeueMessagesOptions{NumberOfMessages: to.Ptr(int32(32)), VisibilityTimeout: to.Ptr(int32(60))})
			must(t, err)
			got := ""
			for _, m := range resp.Messages {
				got += *m.MessageText
				if *m.DequeueCount != dequeued {
					t.Errorf("message %s was received %d times, want %d", *m.MessageText, *m.DequeueCount, dequeued)
				}
			}
			if got != want {
				t.Errorf("received %q, want %q", got, want)
			}
		}
		expect("13", 1)
		expect("", 0)
		<-time.After(30 * time.Second)
		expect("20", 1)
		<-time.After(time.Minute)
		expect("1302", 2)
		<-time.After(time.Hour)
		expect("", 0)
	})
}

// Every write has an ETag of its own, though no time passes.
func TestETagsDiffer(t *testing.T) {
	account := fake.New(0)
	connection, err := storage.Parse(account.ConnectionString())
	must(t, err)
	opened, err := storage.Open(connection, storage.Options{Transport: account})
	must(t, err)
	synctest.Test(t, func(t *testing.T) {
		_, err := opened.Tables.CreateTable(t.Context(), "Rows", nil)
		must(t, err)
		rows := opened.Tables.NewClient("Rows")
		added, err := rows.AddEntity(t.Context(), []byte(`{"PartitionKey":"p","RowKey":"r"}`), nil)
		must(t, err)
		for range 3 {
			_, err := rows.UpdateEntity(t.Context(), []byte(`{"PartitionKey":"p","RowKey":"r"}`), &aztables.UpdateEntityOptions{UpdateMode: aztables.UpdateModeReplace, IfMatch: to.Ptr(azcore.ETagAny)})
			must(t, err)
		}
		_, err = rows.UpdateEntity(t.Context(), []byte(`{"PartitionKey":"p","RowKey":"r"}`), &aztables.UpdateEntityOptions{UpdateMode: aztables.UpdateModeReplace, IfMatch: to.Ptr(added.ETag)})
		var failed *azcore.ResponseError
		if !errors.As(err, &failed) || failed.StatusCode != http.StatusPreconditionFailed {
			t.Errorf("an update with the first ETag: %v", err)
		}
	})
}

// A query comes in pages of a thousand rows, in the order of both keys.
func TestPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account, opened := open(t)
		_, err := opened.Tables.CreateTable(t.Context(), "Rows", nil)
		must(t, err)
		for _, partition := range []string{"b", "a"} {
			for from := range 13 {
				batch := storage.NewBatch("Rows")
				for i := range 100 {
					key := fmt.Sprintf("%04d", 1299-100*from-i)
					batch.Upsert(opened, partition, key, fmt.Appendf(nil, `{"PartitionKey":%q,"RowKey":%q}`, partition, key))
				}
				_, err := opened.Submit(t.Context(), batch)
				must(t, err)
			}
		}
		account.Reset()
		rows := [][]byte{}
		for pager := opened.Tables.NewClient("Rows").NewListEntitiesPager(nil); pager.More(); {
			page, err := pager.NextPage(t.Context())
			must(t, err)
			rows = append(rows, page.Entities...)
		}
		for i, raw := range rows {
			want := fmt.Appendf(nil, `"PartitionKey":"%c","RowKey":"%04d"`, 'a'+i/1300, i%1300)
			if !bytes.Contains(raw, want) {
				t.Fatalf("row %d is %s, want %s", i, raw, want)
			}
		}
		if counts := account.Counts(); len(rows) != 2600 || counts[0].Requests != 3 || counts[0].Rows != 2600 {
			t.Errorf("%d rows, counted as %+v", len(rows), counts)
		}
	})
}
