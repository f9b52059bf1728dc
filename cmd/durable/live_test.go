package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/internal/storage/fake"
)

// serveAccount serves a storage account in memory on this machine, and returns its
// connection string.
func serveAccount(t *testing.T) string {
	t.Helper()
	account := fake.New(0)
	text := "DefaultEndpointsProtocol=http;AccountName=fake;AccountKey=ZmFrZQ=="
	for _, service := range []string{"table", "queue", "blob"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.URL.Host = service + ".fake"
			answer, err := account.Do(r)
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			defer func() { _ = answer.Body.Close() }()
			for name, values := range answer.Header {
				w.Header()[name] = values
			}
			w.WriteHeader(answer.StatusCode)
			_, _ = io.Copy(w, answer.Body)
		}))
		t.Cleanup(server.Close)
		text += ";" + strings.ToUpper(service[:1]) + service[1:] + "Endpoint=" + server.URL
	}
	return text
}

// liveApp is an app that runs on a task hub in a storage account, both in this
// process.
type liveApp struct {
	dir, url, connection string
}

// ways are the flags of the two ways to the app's hub.
func (a *liveApp) ways() map[string][]string {
	return map[string][]string{"storage": {"--dir", a.dir}, "app": {"--url", a.url}}
}

// greet has an output, refuse fails, and ask waits for an event.
var (
	sayHello = durable.NewActivity("SayHello", func(_ context.Context, name string) (string, error) { return "Hello " + name, nil })
	greet    = durable.NewOrchestrator("Greet", func(ctx *durable.Context, name string) (string, error) {
		ctx.SetCustomStatus("greeting")
		return sayHello.Call(ctx, name).Await()
	})
	refuse = durable.NewOrchestrator("Refuse", func(*durable.Context, durable.None) (string, error) {
		return "", errors.New("out of stock")
	})
	ask = durable.NewOrchestrator("Ask", func(ctx *durable.Context, _ durable.None) (string, error) {
		return durable.WaitForEvent[string](ctx, "Answer").Await()
	})
	counters = durable.NewEntity[int]("Counter")
	_        = durable.NewOperation(counters, "Add", func(n *int, _ *durable.EntityContext, by int) (int, error) {
		*n += by
		return *n, nil
	})
)

// startApp runs an app until the test ends.
func startApp(t *testing.T) *liveApp {
	t.Helper()
	connection := serveAccount(t)
	a := &liveApp{dir: app(t, "Live", connection), connection: connection}
	const management = `{"bindings":[{"type":"httpTrigger","direction":"in","name":"req","authLevel":"function","route":"durabletask/{*path}"},{"type":"http","direction":"out","name":"res"}]}`
	if err := os.Mkdir(filepath.Join(a.dir, "DurableTask"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(a.dir, "DurableTask", "function.json"), []byte(management), 0o600); err != nil {
		t.Fatal(err)
	}
	port := freePorts(t, 1)[0]
	a.url = fmt.Sprintf("http://127.0.0.1:%d", port)
	for name, value := range map[string]string{
		"AzureWebJobsStorage": connection, "DURABLE_STANDALONE": a.url[len("http://"):], "FUNCTIONS_APP_ROOT_PATH": a.dir,
		"FUNCTIONS_CUSTOMHANDLER_PORT": "", "AZURE_FUNCTIONS_ENVIRONMENT": "Development", "DURABLE_KEY": "",
	} {
		t.Setenv(name, value)
	}
	running := durable.NewApp()
	running.Register(sayHello, greet, refuse, ask, counters)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- running.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-ended //nolint:errcheck // Run of an app always fails
		http.DefaultClient.CloseIdleConnections()
	})
	a.awaitReady(t, ended)
	return a
}

func (a *liveApp) awaitReady(t *testing.T, ended chan error) {
	t.Helper()
	for {
		if answer, err := http.Get(a.url + "/readyz"); err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the app has ended: %v", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// outcome is what a command has answered.
type outcome struct {
	code          int
	out, problems string
}

// durableTool runs a command.
func durableTool(t *testing.T, args ...string) outcome {
	t.Helper()
	var out, problems bytes.Buffer
	code := run(t.Context(), args, &out, &problems)
	return outcome{code, out.String(), problems.String()}
}
