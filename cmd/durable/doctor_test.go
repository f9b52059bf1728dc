package main

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// goodHost is a host.json with which nothing is wrong.
const goodHost = `{"version":"2.0","extensionBundle":{"id":"Microsoft.Azure.Functions.ExtensionBundle","version":"[4.*, 5.0.0)"},
	"customHandler":{"description":{"defaultExecutablePath":"bin/handler"},"enableProxyingHttpRequest":true},
	"extensions":{"durableTask":{"hubName":"Shop"}}}`

// ill makes the folder of an app from files.
func ill(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func found(t *testing.T, dir string, args ...string) (code int, findings []finding) {
	t.Helper()
	got := durableTool(t, append([]string{"doctor", "-o", "json", dir}, args...)...)
	if err := json.Unmarshal([]byte(got.out), &findings); err != nil {
		t.Fatalf("%v: %+v", err, got)
	}
	return got.code, findings
}

// Each thing that is wrong is found, and there is something that mends it.
func TestDoctor(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-20*time.Minute).UTC().Format(http.TimeFormat))
		w.Header().Set("X-Ms-Error-Code", "AuthorizationPermissionMismatch")
		w.WriteHeader(http.StatusForbidden)
	}))
	defer refusing.Close()
	account := func(url string) string {
		return "AccountName=a;AccountKey=YQ==;BlobEndpoint=" + url + ";QueueEndpoint=" + url + ";TableEndpoint=" + url
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	takenPort := strings.TrimPrefix(taken.Addr().String(), "127.0.0.1:")
	const queueTrigger = `{"bindings":[{"type":"queueTrigger","direction":"in","name":"m","queueName":"%TaskHub%-workitems"}]}`
	for _, c := range []struct {
		name         string
		files        map[string]string
		storage      string
		args         []string
		check, state string
		says, mend   string
	}{
		{"no app", nil, "", nil, "host.json", problem, "host.json", "durable init"},
		{"no module", map[string]string{"host.json": goodHost}, "", nil, "module", problem, module, "go get"},
		{"a program of Windows", map[string]string{"host.json": strings.Replace(goodHost, "bin/handler", "bin/handler.exe", 1)}, "", nil, "host.json", problem, ".exe", "durable init"},
		{"no hub", map[string]string{"host.json": strings.Replace(goodHost, "hubName", "x", 1)}, "", nil, "host.json", problem, "names no task hub", "hubName"},
		{"a bad hub", map[string]string{"host.json": strings.Replace(goodHost, "Shop", "1", 1)}, "", nil, "host.json", problem, "not a task hub name", "hubName"},
		{"no bundle", map[string]string{"host.json": strings.Replace(goodHost, "extensionBundle", "x", 1)}, "", nil, "bundle", problem, "names no extension bundle", "[4.*, 5.0.0)"},
		{"an old bundle", map[string]string{"host.json": strings.Replace(goodHost, "[4.*, 5.0.0)", "[3.*, 4.0.0)", 1)}, "", nil, "bundle", warning, "[3.*, 4.0.0)", "[4.*, 5.0.0)"},
		{"no proxying", map[string]string{"host.json": strings.Replace(goodHost, "true", "false", 1)}, "", nil, "host.json", problem, "HTTP requests", "enableProxyingHttpRequest"},
		{"not built", map[string]string{"host.json": goodHost}, "", nil, "program", warning, "not built", "go build -o bin/handler ."},
		{"built", map[string]string{"host.json": goodHost, "bin/handler": ""}, "", nil, "program", fine, "is there", ""},
		{"a setting that is missing", map[string]string{"host.json": goodHost, "Work/function.json": queueTrigger}, "", nil, "functions", problem, "%TaskHub%", "local.settings.json"},
		{"another hub in the settings", map[string]string{"host.json": goodHost, "local.settings.json": `{"Values":{"TaskHub":"Other"}}`}, "", nil, "settings", problem, "TaskHub is Other", "same name"},
		{"settings that do not parse", map[string]string{"local.settings.json": `{`}, "", nil, "settings", problem, "does not parse", "local.settings.json"},
		{"no folder for links", map[string]string{"host.json": goodHost}, "", nil, "functions", warning, "DurableTaskLinks/function.json", "DurableTaskLinks"},
		{"no queue trigger", map[string]string{"host.json": goodHost}, "", nil, "functions", warning, "shop-control-00", "queueTrigger"},
		{"a port in use", nil, "", []string{"--port", takenPort}, "port", warning, takenPort, "--port"},
		{"in memory", nil, memory, nil, "storage", warning, "gone when the app ends", "UseDevelopmentStorage=true"},
		{"no storage", nil, "", nil, "storage", problem, "AzureWebJobsStorage", "local.settings.json"},
		{"no emulator", nil, freeStorage(t), nil, "azurite", warning, "does not run", "durable start"},
		{"an account", map[string]string{"host.json": goodHost}, serveAccount(t), nil, "hub", fine, "not there yet", ""},
		{"a clock", map[string]string{"host.json": goodHost}, account(refusing.URL), nil, "clock", problem, "20m", "clock"},
		{"a role", map[string]string{"host.json": goodHost}, account(refusing.URL), nil, "blobs", problem, "AuthorizationPermissionMismatch", "Storage Blob Data Owner"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("AzureWebJobsStorage", c.storage)
			t.Setenv("TaskHub", "") // so that it is put back
			_ = os.Unsetenv("TaskHub")
			code, findings := found(t, ill(t, c.files), c.args...)
			problems, seen := 0, false
			for _, f := range findings {
				if f.State == problem {
					problems++
				}
				if (f.Mend == "") != (f.State == fine) {
					t.Errorf("%+v: what is wrong, and only that, has something that mends it", f)
				}
				seen = seen || f.Check == c.check && f.State == c.state && strings.Contains(f.Text, c.says) && strings.Contains(f.Mend, c.mend)
			}
			if !seen {
				t.Errorf("nothing is said of %s %s %q, mended by %q: %+v", c.check, c.state, c.says, c.mend, findings)
			}
			if (code != 0) != (problems > 0) {
				t.Errorf("exit code %d with %d problems", code, problems)
			}
		})
	}
}

func TestDoctorTable(t *testing.T) {
	t.Setenv("AzureWebJobsStorage", memory)
	got := durableTool(t, "doctor", ill(t, map[string]string{"host.json": goodHost}))
	if got.code != failedCode || !inOrderOf(got.out, "ok |go |problem |module |to mend it: go get|ok |func |not needed|warning |storage ") || !strings.Contains(got.problems, "problems") {
		t.Errorf("%+v", got)
	}
}
