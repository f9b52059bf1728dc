//go:build linux

package e2e

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/internal/e2e/host"
)

// otherProgram uses the hub from a process that is not the app: this one.
func otherProgram(t *testing.T, c *cli) {
	client, err := durable.NewClient(durable.ClientOptions{
		TaskHub: c.h.Options.Hub, ConnectionString: c.h.Options.Storage, LinksURL: c.h.URL + "/api/durabletask-links",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("starts, raises and waits", func(t *testing.T) { programRaises(t, c.h, client) })
	t.Run("suspends, resumes, terminates and restarts", func(t *testing.T) { programControls(t, client) })
}

func programRaises(t *testing.T, h *host.Host, client *durable.Client) {
	ctx := bounded(t)
	id, err := client.StartNew(ctx, "WaitTwoSeq", nil, durable.WithInstanceID("other-program"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.WaitForStart(ctx, id); err != nil {
		t.Fatal(err)
	}
	for _, data := range []any{1, "two"} {
		if err := client.RaiseEvent(ctx, id, "Go", data); err != nil {
			t.Fatal(err)
		}
	}
	status, err := client.WaitForCompletion(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if status.RuntimeStatus != "Completed" || string(status.Output) != `[1,"two"]` {
		t.Errorf("%s %s, want Completed [1,\"two\"]", status.RuntimeStatus, status.Output)
	}
	if err := client.RaiseEvent(ctx, id, "Go", 3); !errors.Is(err, durable.ErrFinished) {
		t.Errorf("an event for a completed instance: %v", err)
	}
	payload, err := client.ManagementPayload(httptest.NewRequest(http.MethodGet, "http://elsewhere.example/", nil), id)
	if err != nil {
		t.Fatal(err)
	}
	reply, err := h.Do(ctx, http.MethodGet, decode[host.Links](t, payload).StatusQueryURI, nil)
	if err != nil {
		t.Fatal(err)
	}
	if reply.Code != http.StatusOK {
		t.Errorf("the link that the program signed: %d %s", reply.Code, reply.Body)
	}
}

func programControls(t *testing.T, client *durable.Client) {
	ctx := bounded(t)
	id, err := client.StartNew(ctx, "WaitGo", 7)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.WaitForStart(ctx, id); err != nil {
		t.Fatal(err)
	}
	shows := func(want durable.RuntimeStatus) {
		t.Helper()
		eventually(t, "the instance is "+want, func() bool {
			status, err := client.Status(ctx, id)
			return err == nil && status.RuntimeStatus == want
		})
	}
	if err := client.Suspend(ctx, id, "pause"); err != nil {
		t.Fatal(err)
	}
	shows("Suspended")
	if err := client.Resume(ctx, id, "go on"); err != nil {
		t.Fatal(err)
	}
	shows("Running")
	if err := client.Terminate(ctx, id, "enough"); err != nil {
		t.Fatal(err)
	}
	status, err := client.WaitForCompletion(ctx, id)
	if err != nil || status.RuntimeStatus != "Terminated" || string(status.Output) != `"enough"` {
		t.Fatalf("%+v, %v, want Terminated \"enough\"", status, err)
	}
	again, err := client.Restart(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.RaiseEvent(ctx, again, "Go", "x"); err != nil {
		t.Fatal(err)
	}
	status, err = client.WaitForCompletion(ctx, again)
	if err != nil || status.RuntimeStatus != "Completed" || string(status.Input) != "7" || string(status.Output) != `"x"` {
		t.Errorf("the restarted instance: %+v, %v", status, err)
	}
	if err := client.Terminate(ctx, "no-such-id", ""); !errors.Is(err, durable.ErrNotFound) {
		t.Errorf("the termination of an unknown instance: %v", err)
	}
}
