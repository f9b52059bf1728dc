package storage

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
)

func environment(settings map[string]string) func(string) string {
	return func(name string) string { return settings[name] }
}

// recorder is a transport that sends nothing.
type recorder struct{ requests []string }

func (r *recorder) Do(req *http.Request) (*http.Response, error) {
	auth, _, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	r.requests = append(r.requests, fmt.Sprintf("%s %s://%s%s %s", req.Method, req.URL.Scheme, req.URL.Host, req.URL.Path, auth))
	return &http.Response{
		StatusCode: http.StatusNotFound, Header: http.Header{}, Request: req, Body: io.NopCloser(bytes.NewReader(nil)),
	}, nil
}

// Every service gets tokens, at the addresses that follow from the account's
// name unless a setting gives another one.
func TestIdentityAddresses(t *testing.T) {
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"token","expires_on":"4102444800","resource":"https://storage.azure.com","token_type":"Bearer"}`)
	}))
	t.Cleanup(issuer.Close)
	t.Setenv("IDENTITY_ENDPOINT", issuer.URL)
	t.Setenv("IDENTITY_HEADER", "header")
	connection, err := Resolve("AzureWebJobsStorage", environment(map[string]string{
		"AzureWebJobsStorage__accountName":     "myaccount",
		"AzureWebJobsStorage__queueServiceUri": "https://queues.example.com/",
	}))
	if err != nil {
		t.Fatal(err)
	}
	transport := &recorder{}
	account, err := Open(connection, Options{Transport: transport, MaxRetries: -1})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	batch := NewBatch("History")
	batch.Insert(account, []byte(`{}`))
	// The recorder answers 404 to all of them.
	_, tableErr := account.Tables.CreateTable(ctx, "History", nil)
	_, queueErr := account.Queues.CreateQueue(ctx, "control", nil)
	_, blobErr := account.Blobs.CreateContainer(ctx, "keys", nil)
	_, batchErr := account.Submit(ctx, batch)
	for _, err := range []error{tableErr, queueErr, blobErr, batchErr} {
		if err == nil {
			t.Error("no error from a service that answers 404")
		}
	}
	want := []string{
		"POST https://myaccount.table.core.windows.net/Tables Bearer",
		"PUT https://queues.example.com/control Bearer",
		"PUT https://myaccount.blob.core.windows.net/keys Bearer",
		"POST https://myaccount.table.core.windows.net/$batch Bearer",
	}
	if !reflect.DeepEqual(transport.requests, want) {
		t.Errorf("requests are\n%s\nwant\n%s", strings.Join(transport.requests, "\n"), strings.Join(want, "\n"))
	}
}

func TestIdentityCredential(t *testing.T) {
	const prefix = "AzureWebJobsStorage__"
	for _, c := range []struct {
		name     string
		settings map[string]string
		inAzure  bool
		want     string
	}{
		{"managed", map[string]string{"credential": "managedidentity"}, false, "*azidentity.ManagedIdentityCredential"},
		{"managed, of a client", map[string]string{"credential": "ManagedIdentity", "clientId": "id"}, false, "*azidentity.ManagedIdentityCredential"},
		{"in Azure", nil, true, "*azidentity.ManagedIdentityCredential"},
		{"secret", map[string]string{"tenantId": "tenant", "clientId": "id", "clientSecret": "secret"}, false, "*azidentity.ClientSecretCredential"},
		{"developer", nil, false, "*azidentity.DefaultAzureCredential"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("IDENTITY_ENDPOINT", "")
			if c.inAzure {
				t.Setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:1/token")
				t.Setenv("IDENTITY_HEADER", "header")
			}
			settings := map[string]string{prefix + "accountName": "myaccount"}
			for name, value := range c.settings {
				settings[prefix+name] = value
			}
			connection, err := Resolve("AzureWebJobsStorage", environment(settings))
			if err != nil {
				t.Fatal(err)
			}
			credential, err := connection.Identity.credential()
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprintf("%T", credential); got != c.want {
				t.Errorf("the credential is a %s, want a %s", got, c.want)
			}
		})
	}
}

// Without one of the services' addresses the error says which setting to make.
func TestIdentityIncomplete(t *testing.T) {
	_, err := Resolve("AzureWebJobsStorage", environment(map[string]string{
		"AzureWebJobsStorage__tableServiceUri": "https://a.table.core.windows.net",
		"AzureWebJobsStorage__blobServiceUri":  "https://a.blob.core.windows.net",
	}))
	if err == nil || !strings.Contains(err.Error(), "AzureWebJobsStorage__queueServiceUri") {
		t.Errorf("error is %v, want one that names AzureWebJobsStorage__queueServiceUri", err)
	}
}
