package main

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/management"
	"github.com/durable-go/functions/internal/taskhub"
	"go.uber.org/goleak"
)

// An app in the test's own process watches its parent as long as the process lives.
func TestMain(m *testing.M) {
	const watches = "github.com/durable-go/functions/handler/supervise."
	os.Exit(azuritetest.RunWithoutLeaks(m, goleak.IgnoreTopFunction(watches+"enterAlone.func1"), goleak.IgnoreTopFunction(watches+"parentGone.func1")))
}

// app makes the folder of an app with a task hub.
func app(t *testing.T, hub, connection string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"host.json":           `{"version":"2.0","extensions":{"durableTask":{"hubName":"` + hub + `"}}}`,
		"local.settings.json": `{"Values":{"AzureWebJobsStorage":"` + connection + `"}}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestKeysRotate(t *testing.T) {
	t.Setenv("AzureWebJobsStorage", "")
	connection := azuritetest.Server(t).ConnectionString()
	name := azuritetest.HubName()
	env := environment{own: []string{"AzureWebJobsStorage=" + connection}}
	hub, err := openHub(name, env)
	if err != nil {
		t.Fatal(err)
	}
	dir := app(t, name, connection)
	var out bytes.Buffer
	if code := run(t.Context(), []string{"keys", "rotate", dir}, &out, &out); code != 1 || !strings.Contains(out.String(), "has the app run") {
		t.Errorf("a hub that is not there: %d %s", code, out.String())
	}
	if err := hub.Create(t.Context(), taskhub.Owner{}); err != nil {
		t.Fatal(err)
	}
	query, err := management.NewKeys(hub, name, time.Now).Sign(t.Context(), "i", "status", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	link, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		says string
		good bool
	}{
		{[]string{"keys", "rotate", dir}, "are good until", true},
		{[]string{"keys", "rotate", "--grace", "0s", "--hub", name, dir}, "are void", false},
	} {
		out.Reset()
		if code := run(t.Context(), c.args, &out, &out); code != 0 || !strings.Contains(out.String(), c.says) || !strings.Contains(out.String(), name) {
			t.Errorf("%v: %d %s", c.args, code, out.String())
		}
		if err := management.NewKeys(hub, name, time.Now).Check(t.Context(), "i", "status", link); (err == nil) != c.good {
			t.Errorf("%v: the first link: %v", c.args, err)
		}
	}
}

func TestNoKeysInMemory(t *testing.T) {
	t.Setenv("AzureWebJobsStorage", memory)
	var out bytes.Buffer
	if code := run(t.Context(), []string{"keys", "rotate", app(t, "Hub", "")}, &out, &out); code != 1 || !strings.Contains(out.String(), "memory") {
		t.Errorf("%d %s", code, out.String())
	}
}
