package durable_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/durable-go/functions/durable"
)

// The signature of an account that cannot be reached is neither in an error nor
// in a log.
func TestNoSecretInErrors(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close() // now nothing listens there
	var logged bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	defer slog.SetDefault(before)
	const secret = "c2VjcmV0c2lnbmF0dXJl"
	client, err := durable.NewClient(durable.ClientOptions{TaskHub: "SomeHub", LinksURL: "http://localhost/links", ConnectionString: fmt.Sprintf(
		"TableEndpoint=http://%[1]s/a;QueueEndpoint=http://%[1]s/a;BlobEndpoint=http://%[1]s/a;SharedAccessSignature=sv=2022-11-02&ss=bqt&srt=sco&sp=rwdlacup&sig=%[2]s", address, secret)})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	calls := map[string]func(context.Context) error{
		"Status":     func(ctx context.Context) error { _, err := client.Status(ctx, "x"); return err },
		"StartNew":   func(ctx context.Context) error { _, err := client.StartNew(ctx, "O", 1); return err },
		"RaiseEvent": func(ctx context.Context) error { return client.RaiseEvent(ctx, "x", "E", 1) },
		"Terminate":  func(ctx context.Context) error { return client.Terminate(ctx, "x", "reason") },
		"ListPage":   func(ctx context.Context) error { _, _, err := client.ListPage(ctx, durable.Query{}, ""); return err },
		"PurgeInstances": func(ctx context.Context) error {
			_, err := client.PurgeInstances(ctx, durable.PurgeFilter{})
			return err
		},
		"History": func(ctx context.Context) error { _, err := client.History(ctx, "x"); return err },
		"Wait":    func(ctx context.Context) error { _, err := client.WaitForCompletion(ctx, "x"); return err },
	}
	for name, call := range calls {
		switch err := call(ctx); {
		case err == nil:
			t.Errorf("%s: no error", name)
		case strings.Contains(fmt.Sprintf("%v %+v", err, err), secret):
			t.Errorf("%s: the error has the signature", name)
		}
	}
	if strings.Contains(logged.String(), secret) {
		t.Error("the log has the signature")
	}
}
