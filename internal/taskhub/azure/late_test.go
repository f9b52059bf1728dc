package azure_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
)

// gate passes requests on, except those that before answers itself. It may also
// keep one waiting.
type gate struct {
	account *fake.Account
	before  func(r *http.Request, body []byte) (*http.Response, error)
}

func (g *gate) Do(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	if g.before != nil {
		if resp, err := g.before(r, body); resp != nil || err != nil {
			return resp, err
		}
	}
	return g.account.Do(r)
}

// behind opens a hub whose requests go through a gate.
func behind(t *testing.T, account *fake.Account, before func(*http.Request, []byte) (*http.Response, error)) *azure.Hub {
	t.Helper()
	connection, err := storage.Parse(account.ConnectionString())
	must(t, err)
	opened, err := storage.Open(connection, storage.Options{Transport: &gate{account, before}, MaxRetries: -1})
	must(t, err)
	hub, err := azure.Open(opened, "Fake", azure.Options{})
	must(t, err)
	must(t, hub.Create(t.Context(), taskhub.Owner{}))
	return hub
}

// raised are n events with small data.
func raised(n int, name string) (events []*history.Event) {
	for range n {
		events = append(events, &history.Event{Type: history.EventRaised, ID: history.NoID, Name: name, Timestamp: time.Now().UTC(), Input: history.Payload(`1`)})
	}
	return events
}

// holdDeletes makes a hub whose first transaction that only deletes waits for
// release, and tells when it does.
func holdDeletes(t *testing.T, account *fake.Account) (hub *azure.Hub, blocked <-chan struct{}, release chan<- struct{}) {
	held, let := make(chan struct{}), make(chan struct{})
	first := true
	hub = behind(t, account, func(r *http.Request, body []byte) (*http.Response, error) {
		if first && strings.Contains(r.URL.Path, "$batch") && bytes.Contains(body, []byte("DELETE ")) && !bytes.Contains(body, []byte("sentinel")) {
			first = false
			close(held)
			<-let
		}
		return nil, nil
	})
	return hub, held, let
}

// TestLateDeleteOfOldRows: a process continues as new and sleeps before it
// deletes the rows of the generation before. Meanwhile the instance is purged and
// started again, by the same execution id (a child whose parent was rewound) or by
// another one. The rows of the running execution stay.
func TestLateDeleteOfOldRows(t *testing.T) {
	for _, next := range []string{"e1", "e3"} {
		t.Run(next, func(t *testing.T) {
			account := fake.New(0)
			slow, blocked, release := holdDeletes(t, account)
			quick := behind(t, account, nil)
			ctx := t.Context()
			row := &taskhub.Instance{ID: "monitor", ExecutionID: "e1", Name: "O", Status: history.Completed, Created: time.Now().UTC(), Updated: time.Now().UTC()}
			must(t, quick.Insert(ctx, row))
			fence, err := slow.Commit(ctx, &taskhub.Commit{InstanceID: "monitor", ExecutionID: "e1", Nonce: "n1", Time: time.Now(), Events: raised(99, "old")})
			must(t, err)
			done := make(chan error)
			go func() {
				_, err := slow.Commit(context.WithoutCancel(ctx), &taskhub.Commit{InstanceID: "monitor", ExecutionID: "e2", Fence: fence, NewExecution: true, Nonce: "n2", Time: time.Now(), Events: raised(3, "next")})
				done <- err
			}()
			<-blocked
			_, err = quick.Purge(ctx, "monitor", row.ETag)
			must(t, err)
			must(t, quick.Insert(ctx, &taskhub.Instance{ID: "monitor", ExecutionID: next, Name: "O", Status: history.Running, Created: time.Now().UTC(), Updated: time.Now().UTC()}))
			_, err = quick.Commit(ctx, &taskhub.Commit{InstanceID: "monitor", ExecutionID: next, Nonce: "n3", Time: time.Now(), Events: raised(120, "live")})
			must(t, err)
			close(release)
			must(t, <-done)
			after, err := quick.Load(ctx, "monitor", 0)
			if err != nil || len(after.Events) != 120 {
				t.Errorf("the running execution had 120 events, and after the late delete: %+v, %v", after, err)
			}
		})
	}
}

// TestOldRowsGoThoughOneIsGone: what is left of a replaced generation is deleted
// where one of its rows is missing, which makes a transaction that names it fail.
func TestOldRowsGoThoughOneIsGone(t *testing.T) {
	for _, size := range []int{5, 99, 250} {
		account := fake.New(0)
		hub := behind(t, account, nil)
		fence, err := hub.Commit(t.Context(), &taskhub.Commit{InstanceID: "i", ExecutionID: "e1", Nonce: "n1", Time: time.Now(), Events: raised(size, "old")})
		must(t, err)
		tamper(t, account, http.MethodDelete, fence.FirstRow+2, "")
		_, err = hub.Commit(t.Context(), &taskhub.Commit{InstanceID: "i", ExecutionID: "e2", Fence: fence, NewExecution: true, Nonce: "n2", Time: time.Now(), Events: raised(3, "next")})
		must(t, err)
		if left := rowsOf(t, account); left != 4 {
			t.Errorf("%d old rows, one of them gone: %d rows are left, want 3 and the sentinel", size, left)
		}
	}
}

// tamper changes or deletes a history row of the instance "i".
func tamper(t *testing.T, account *fake.Account, method string, row uint64, body string) {
	t.Helper()
	address := fmt.Sprintf("http://table.fake/FakeHistory(PartitionKey='i',RowKey='%s')", taskhub.RowKey(row))
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	must(t, err)
	req.Header.Set("If-Match", "*")
	resp, err := account.Do(req)
	must(t, err)
	must(t, resp.Body.Close())
	if resp.StatusCode != http.StatusNoContent {
		t.Fatal(resp.Status)
	}
}

// rowsOf counts the rows of the account's History table.
func rowsOf(t *testing.T, account *fake.Account) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://table.fake/FakeHistory()?NextPartitionKey=1!&NextRowKey=1!", nil)
	must(t, err)
	resp, err := account.Do(req)
	must(t, err)
	raw, err := io.ReadAll(resp.Body)
	must(t, err)
	must(t, resp.Body.Close())
	return bytes.Count(raw, []byte(`"RowKey":`))
}

// TestPurgeReadsOnAfterAnEmptyPage: a page without rows is not the end.
func TestPurgeReadsOnAfterAnEmptyPage(t *testing.T) {
	account := fake.New(0)
	hub := behind(t, account, func(r *http.Request, _ []byte) (*http.Response, error) {
		if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "History()") || r.URL.Query().Get("NextPartitionKey") != "" {
			return nil, nil
		}
		resp := answer(r, http.StatusOK, `{"value":[]}`)
		resp.Header.Set("x-ms-continuation-NextPartitionKey", "1!4!eA--")
		resp.Header.Set("x-ms-continuation-NextRowKey", "1!4!eA--")
		return resp, nil
	})
	row := &taskhub.Instance{ID: "x", ExecutionID: "e1", Name: "O", Status: history.Completed, Created: time.Now().UTC(), Updated: time.Now().UTC()}
	must(t, hub.Insert(t.Context(), row))
	_, err := hub.Commit(t.Context(), &taskhub.Commit{InstanceID: "x", ExecutionID: "e1", Nonce: "n1", Time: time.Now(), Events: raised(50, "secret")})
	must(t, err)
	rows, err := hub.Purge(t.Context(), "x", row.ETag)
	if left := rowsOf(t, account); err != nil || rows != 52 || left != 0 {
		t.Errorf("the purge deleted %d rows, %v; %d are left", rows, err, left)
	}
}

func answer(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Status: fmt.Sprint(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// TestHubThatIsBeingDeleted: Create fails as long as the tables of a deleted hub
// are on their way out, and nothing is taken for a missing or existing instance.
func TestHubThatIsBeingDeleted(t *testing.T) {
	deleting := false
	hub := behind(t, fake.New(0), func(r *http.Request, _ []byte) (*http.Response, error) {
		if !deleting || !strings.HasPrefix(r.URL.Host, "table") {
			return nil, nil
		}
		if r.Method == http.MethodGet {
			return answer(r, http.StatusNotFound, `{"odata.error":{"code":"TableNotFound","message":{"lang":"en-US","value":"The table specified does not exist."}}}`), nil
		}
		return answer(r, http.StatusConflict, `{"odata.error":{"code":"TableBeingDeleted","message":{"lang":"en-US","value":"The specified table is being deleted. Try operation later."}}}`), nil
	})
	deleting = true
	ctx := t.Context()
	row := &taskhub.Instance{ID: "x", ExecutionID: "e"}
	for name, call := range map[string]func() error{
		"create":   func() error { return hub.Create(ctx, taskhub.Owner{}) },
		"instance": func() error { _, err := hub.Instance(ctx, "x"); return err },
		"insert":   func() error { return hub.Insert(ctx, row) },
		"replace":  func() error { return hub.Replace(ctx, row, "") },
		"merge":    func() error { _, err := hub.Merge(ctx, "x", taskhub.Change{}); return err },
		"list":     func() error { _, err := hub.List(ctx, taskhub.Query{}); return err },
		"purge":    func() error { _, err := hub.Purge(ctx, "x", ""); return err },
		"load":     func() error { _, err := hub.Load(ctx, "x", 0); return err },
		"commit": func() error {
			_, err := hub.Commit(ctx, &taskhub.Commit{InstanceID: "x", ExecutionID: "e", Nonce: "n", Events: raised(1, "e")})
			return err
		},
	} {
		if err := call(); !wrapsOnly(err, taskhub.ErrNoHub) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLatePurgeSparesPayloads: a purge sleeps before it looks for large payloads.
// Meanwhile another one is through, and the id is started again.
func TestLatePurgeSparesPayloads(t *testing.T) {
	account := fake.New(0)
	held, let := make(chan struct{}), make(chan struct{})
	slow := behind(t, account, func(r *http.Request, _ []byte) (*http.Response, error) {
		if r.Method == http.MethodGet && r.URL.Query().Get("comp") == "list" {
			close(held)
			<-let
		}
		return nil, nil
	})
	quick := behind(t, account, nil)
	ctx := t.Context()
	row := &taskhub.Instance{ID: "i", ExecutionID: "e1", Input: largeText(70_000), Status: history.Completed}
	must(t, quick.Insert(ctx, row))
	done := make(chan error)
	go func() {
		_, err := slow.Purge(context.WithoutCancel(ctx), "i", row.ETag)
		done <- err
	}()
	<-held
	_, err := quick.Purge(ctx, "i", row.ETag)
	must(t, err)
	again := &taskhub.Instance{ID: "i", ExecutionID: "e2", Input: largeText(80_000)}
	must(t, quick.Insert(ctx, again))
	close(let)
	if err := <-done; !errors.Is(err, taskhub.ErrChanged) {
		t.Errorf("the late purge: %v", err)
	}
	if got, err := quick.Instance(ctx, "i"); err != nil || !bytes.Equal(got.Input, again.Input) {
		t.Errorf("the input of the execution that came after: %d bytes, %v", len(got.Input), err)
	}
}

// TestLateSweepSparesPayloads: a sweep comes for an execution that was purged
// since, from whatever row keys it had.
func TestLateSweepSparesPayloads(t *testing.T) {
	for n := range 8 {
		hub := behind(t, fake.New(0), nil)
		ctx := t.Context()
		row := &taskhub.Instance{ID: "i", ExecutionID: "e1", Status: history.Completed}
		must(t, hub.Insert(ctx, row))
		old, err := hub.Commit(ctx, largeCommit("n1", 3))
		must(t, err)
		_, err = hub.Purge(ctx, "i", row.ETag)
		must(t, err)
		must(t, hub.Insert(ctx, &taskhub.Instance{ID: "i", ExecutionID: "e2"}))
		c := largeCommit("n2", 3)
		c.ExecutionID = fmt.Sprint("next", n)
		_, err = hub.Commit(ctx, c)
		must(t, err)
		old.FirstRow = old.NextRow // the execution had continued as new
		must(t, hub.Sweep(ctx, "i", old))
		if got, err := hub.Load(ctx, "i", 0); err != nil || len(got.Events) != 3 {
			t.Errorf("%s after a late sweep: %v", c.ExecutionID, err)
		}
	}
}
