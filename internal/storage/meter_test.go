package storage

import (
	"net/http/httptest"
	"testing"
)

func TestOperationNamesNothing(t *testing.T) {
	for _, c := range []struct {
		service     Service
		method, url string
		want        string
	}{
		{Table, "POST", "https://a.table.core.windows.net/$batch", "POST transaction"},
		{Table, "POST", "http://127.0.0.1:10002/devstoreaccount1/Tables", "POST table"},
		{Table, "DELETE", "http://127.0.0.1:10002/devstoreaccount1/Tables('x')", "DELETE table"},
		{Table, "PATCH", "http://127.0.0.1:10002/devstoreaccount1/hubInstances(PartitionKey='p',RowKey='')", "PATCH entity"},
		{Table, "GET", "https://a.table.core.windows.net/hubHistory()?$filter=x", "GET entity"},
		{Queue, "GET", "https://a.queue.core.windows.net/hub-control-00/messages?numofmessages=32", "GET message"},
		{Queue, "PUT", "https://a.queue.core.windows.net/hub-control-00", "PUT queue"},
		{Blob, "PUT", "https://a.blob.core.windows.net/hub?restype=container", "PUT container"},
		{Blob, "GET", "https://a.blob.core.windows.net/hub/some/blob.gz", "GET blob"},
	} {
		if got := operation(c.service, httptest.NewRequest(c.method, c.url, nil)); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.method, c.url, got, c.want)
		}
	}
}
