//go:build linux

package e2e

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/e2e/host"
)

// With keys, as in Azure: the host guards the starter and the operators' door,
// and signed links need no key.
func TestFunctionKeys(t *testing.T) {
	host.NeedFunc(t)
	hub := azuritetest.HubName()
	id := strings.ToLower("host-" + hub)
	h := host.Run(t, host.Options{
		Storage: azuritetest.Server(t).ConnectionString(), Hub: hub,
		Args: []string{"--enableAuth"}, Env: []string{"AzureFunctionsWebHost__hostid=" + id},
	})
	ctx := bounded(t)
	key := functionKey(t, h, id)
	var links host.Links
	for _, c := range []struct {
		path, key string
		code      int
	}{
		{"/api/orchestrators/Orchestrator", "", http.StatusUnauthorized},
		{"/api/orchestrators/Orchestrator", "wrong", http.StatusUnauthorized},
		{"/api/orchestrators/Orchestrator", key, http.StatusAccepted},
		{"/api/durabletask/instances", "", http.StatusUnauthorized},
		{"/api/durabletask/instances/nobody", "", http.StatusUnauthorized},
		{"/api/durabletask/instances/nobody", key, http.StatusNotFound},
	} {
		reply, err := h.Do(ctx, http.MethodGet, c.path, nil, "x-functions-key", c.key)
		if err != nil {
			t.Fatal(err)
		}
		if reply.Code != c.code {
			t.Errorf("%s with key %q: %d %s, want %d", c.path, c.key, reply.Code, reply.Body, c.code)
		}
		if reply.Code == http.StatusAccepted {
			links = decode[host.Links](t, reply.Body)
		}
	}
	eventually(t, "the signed link says that the instance has completed", func() bool {
		reply, err := h.Do(ctx, http.MethodGet, links.StatusQueryURI, nil)
		return err == nil && reply.Code == http.StatusOK && strings.Contains(string(reply.Body), "Hello London!")
	})
	t.Run("operations", func(t *testing.T) { testOperationKeys(t, h, key) })
}

// testOperationKeys calls every operation on an instance that does not exist:
// the host lets nobody without the key through to the operators' door, and the
// other door takes signatures, which no key replaces.
func testOperationKeys(t *testing.T, h *host.Host, key string) {
	ctx := bounded(t)
	for _, o := range []struct{ method, path string }{
		{http.MethodGet, "instances"},
		{http.MethodDelete, "instances?createdTimeFrom=2001-01-01T00:00:00Z&createdTimeTo=2001-01-02T00:00:00Z"},
		{http.MethodGet, "instances/nobody"},
		{http.MethodDelete, "instances/nobody"},
		{http.MethodPost, "instances/nobody/raiseEvent/Go"},
		{http.MethodPost, "instances/nobody/terminate"},
		{http.MethodPost, "instances/nobody/suspend"},
		{http.MethodPost, "instances/nobody/resume"},
		{http.MethodPost, "instances/nobody/rewind"},
		{http.MethodPost, "instances/nobody/restart"},
		{http.MethodPost, "orchestrators/Nobody"},
		{http.MethodPost, "orchestrators/Nobody/id"},
	} {
		for _, c := range []struct {
			door, key string
			allowed   bool
		}{
			{"/api/durabletask/", "", false},
			{"/api/durabletask/", "wrong", false},
			{"/api/durabletask/", key, true},
			{"/api/durabletask-links/", "", false},
			{"/api/durabletask-links/", key, false},
		} {
			reply, err := h.Do(ctx, o.method, c.door+o.path, []byte("null"), "x-functions-key", c.key)
			if err != nil {
				t.Fatal(err)
			}
			// A door says 404 to what it does not have, and for an instance that it
			// may look for.
			refused := reply.Code == http.StatusUnauthorized
			if strings.Contains(c.door, "links") {
				refused = refused || reply.Code == http.StatusNotFound
			}
			if refused == c.allowed || reply.Code >= http.StatusInternalServerError {
				t.Errorf("%s %s%s with key %q: %d %s", o.method, c.door, o.path, c.key, reply.Code, reply.Body)
			}
		}
	}
}

// functionKey is the app's key for all functions, which the host keeps in a
// blob. It makes its keys when it is first shown one.
func functionKey(t *testing.T, h *host.Host, hostID string) string {
	t.Helper()
	client, err := azblob.NewClientFromConnectionString(h.Options.Storage, nil)
	if err != nil {
		t.Fatal(err)
	}
	var key string
	eventually(t, "the host has written its keys", func() bool {
		if _, err := h.Do(t.Context(), http.MethodGet, "/api/orchestrators/Orchestrator", nil, "x-functions-key", "wrong"); err != nil {
			return false
		}
		blob, err := client.DownloadStream(t.Context(), "azure-webjobs-secrets", hostID+"/host.json", nil)
		if err != nil {
			return false
		}
		defer func() { _ = blob.Body.Close() }()
		raw, err := io.ReadAll(blob.Body)
		if err != nil {
			return false
		}
		file := decode[struct{ FunctionKeys []struct{ Value string } }](t, raw)
		if len(file.FunctionKeys) > 0 {
			key = file.FunctionKeys[0].Value
		}
		return key != ""
	})
	return key
}
