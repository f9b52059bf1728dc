package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/azurite"
	"github.com/durable-go/functions/internal/storage"
	"github.com/spf13/cobra"
)

// try runs a command by itself with arguments.
func try(t *testing.T, cmd *cobra.Command, args ...string) error {
	root := newGroup("durable", "")
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(cmd)
	root.SetArgs(append([]string{cmd.Name()}, args...))
	return root.ExecuteContext(t.Context())
}

func TestParseStart(t *testing.T) {
	for _, c := range []struct {
		args  []string
		wrong string
		want  options
	}{
		{nil, "", options{port: 7071}},
		{[]string{"--storage", "memory"}, "", options{memory: true, port: 7071}},
		{[]string{"--func", "/opt/func", "--port", "7080"}, "", options{fn: "/opt/func", port: 7080}},
		{[]string{"--watch"}, "", options{port: 7071, watch: true}},
		{[]string{"--storage", "disk"}, "AzureWebJobsStorage", options{}},
		{[]string{"--port", "0"}, "between 1 and 65535", options{}},
		{[]string{"--port", "x"}, `--port`, options{}},
		{[]string{"a", "b"}, "one folder", options{}},
		{[]string{"--nothing"}, "unknown flag", options{}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			var got options
			cmd := startCommand(func(_ context.Context, o options, _ io.Writer) error {
				got = o
				return nil
			})
			err := try(t, cmd, c.args...)
			if c.wrong != "" {
				if !errors.As(err, new(usageError)) || !strings.Contains(err.Error(), c.wrong) {
					t.Errorf("%v, want a usage error with %q", err, c.wrong)
				}
				return
			}
			got.dir = ""
			if err != nil || got != c.want {
				t.Errorf("%+v %v, want %+v", got, err, c.want)
			}
		})
	}
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{nil, 2, "Usage:"},
		{[]string{"help"}, 0, "start"},
		{[]string{"dance"}, 2, `no command "dance"`},
		{[]string{"purg"}, 2, "do you mean purge?"},
		{[]string{"hub", "chek"}, 2, "do you mean check?"},
		{[]string{"completion", "bash"}, 0, "__start_durable"},
		{[]string{"start", "-h"}, 0, "-storage"},
		{[]string{"start", "--port", "0"}, 2, "--port 0"},
		{[]string{"start", "--func", "/nowhere/func"}, 1, "/nowhere/func"},
		{[]string{"keys"}, 2, "a command is missing"},
		{[]string{"keys", "-h"}, 0, "rotate"},
		{[]string{"keys", "rotate", "-h"}, 0, "-grace"},
		{[]string{"keys", "rotate", "--grace", "-1s"}, 2, "must not be below 0"},
		{[]string{"keys", "rotate", "a", "b"}, 2, "one folder"},
		{[]string{"keys", "rotate", "/nowhere"}, 1, "host.json"},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			var out bytes.Buffer
			if code := run(t.Context(), c.args, &out, &out); code != c.code || !strings.Contains(out.String(), c.says) {
				t.Errorf("exit code %d, want %d and %q:\n%s", code, c.code, c.says, out.String())
			}
		})
	}
}

func TestSettings(t *testing.T) {
	for _, c := range []struct {
		name, file, wrong string
		own               map[string]string
		memory            bool
		want              map[string]string
	}{
		{name: "no file", want: map[string]string{"TaskHub": ""}},
		{name: "file", file: `{"IsEncrypted":false,"Values":{"TaskHub":"A"}}`, want: map[string]string{"TaskHub": "A"}},
		{name: "environment wins", file: `{"Values":{"TaskHub":"A"}}`, own: map[string]string{"TaskHub": "B"}, want: map[string]string{"TaskHub": "B"}},
		{name: "memory wins", file: `{"Values":{"AzureWebJobsStorage":"A"}}`, memory: true, own: map[string]string{"AzureWebJobsStorage": "B"}, want: map[string]string{"AzureWebJobsStorage": "memory"}},
		{name: "as func reads it", file: "\xef\xbb\xbf{ // comment\n\"Values\": {\"TaskHub\": 5, \"AzureWebJobsStorage\": true, /* x */},}", want: map[string]string{"TaskHub": "5", "AzureWebJobsStorage": "true"}},
		{name: "a value that is no text", file: `{"Values":{"TaskHub":["A"]}}`, wrong: "not a string"},
		{name: "encrypted", file: `{"IsEncrypted":true,"Values":{}}`, wrong: "func settings decrypt"},
		{name: "broken", file: `{`, wrong: "does not parse"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("TaskHub", "")
			t.Setenv("AzureWebJobsStorage", "")
			for name, value := range c.own {
				t.Setenv(name, value)
			}
			o := options{dir: t.TempDir(), memory: c.memory}
			if c.file != "" {
				if err := os.WriteFile(filepath.Join(o.dir, "local.settings.json"), []byte(c.file), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			env, err := appEnvironment(o)
			if c.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), c.wrong) {
					t.Errorf("%v, want %q", err, c.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for name := range c.want {
				got[name] = env.get(name)
			}
			if !maps.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func TestLocalPorts(t *testing.T) {
	const key = "AccountName=a;AccountKey=YQ==;"
	for _, c := range []struct {
		connection string
		local      bool
		ports      [3]int
	}{
		{"UseDevelopmentStorage=true", true, [3]int{10000, 10001, 10002}},
		{key + "BlobEndpoint=http://localhost:1/a;QueueEndpoint=http://127.0.0.1:2/a;TableEndpoint=http://[::1]:3/a", true, [3]int{1, 2, 3}},
		{key + "EndpointSuffix=core.windows.net", false, [3]int{}},
		{key + "BlobEndpoint=http://127.0.0.1:1/a", false, [3]int{}},
	} {
		t.Run(c.connection, func(t *testing.T) {
			connection, err := storage.Parse(c.connection)
			if err != nil {
				t.Fatal(err)
			}
			ports, local := localPorts(connection)
			if local != c.local || local && ports != c.ports {
				t.Errorf("%v %v, want %v %v", ports, local, c.ports, c.local)
			}
		})
	}
}

// Without Node.js there is one line that says what to do, and nothing else is
// tried.
func TestNoNode(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	env := environment{settings: map[string]string{"AzureWebJobsStorage": freeStorage(t)}}
	_, err := startEmulator(t.Context(), t.TempDir(), env, &bytes.Buffer{})
	if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "--storage memory") || !strings.Contains(err.Error(), "AzureWebJobsStorage") {
		t.Errorf("%v, want one line with the two ways out", err)
	}
}

func TestNoStorage(t *testing.T) {
	_, err := startEmulator(t.Context(), t.TempDir(), environment{}, &bytes.Buffer{})
	if !errors.Is(err, storage.ErrNoConnection) {
		t.Errorf("%v, want %v", err, storage.ErrNoConnection)
	}
}

// freePorts are ports that nobody listens on.
func freePorts(t *testing.T, n int) (ports []int) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// freeStorage is the connection of an emulator that does not run.
func freeStorage(t *testing.T) string {
	ports := freePorts(t, 3)
	return (&azurite.Server{Blob: ports[0], Queue: ports[1], Table: ports[2]}).ConnectionString()
}

func TestStartHelp(t *testing.T) {
	var out bytes.Buffer
	if code := run(t.Context(), []string{"start", "-h"}, &out, io.Discard); code != 0 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"-port", "-func", "-storage", "AzureWebJobsStorage", "Azurite"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing:\n%s", want, out.String())
		}
	}
}

// function.json files name the setting TaskHub; where nothing sets it, host.json says
// which hub is meant.
func TestTaskHubComesFromHostJSON(t *testing.T) {
	t.Setenv("TaskHub", "")
	dir := ill(t, map[string]string{"host.json": `{"extensions":{"durableTask":{"hubName":"Shop"}}}`})
	for _, c := range []struct{ dir, set, want, says string }{
		{dir, "", "Shop", "taking Shop"},
		{dir, "Other", "Other", ""},
		{ill(t, map[string]string{"host.json": `{"extensions":{"durableTask":{"hubName":"%TaskHub%"}}}`}), "", "", ""},
		{t.TempDir(), "", "", ""},
	} {
		var out bytes.Buffer
		env := withTaskHub(c.dir, environment{settings: map[string]string{"TaskHub": c.set}}, &out)
		if got := env.get("TaskHub"); got != c.want || !strings.Contains(out.String(), c.says) || (c.says == "") != (out.Len() == 0) {
			t.Errorf("%q (%s), want %q", got, out.String(), c.want)
		}
	}
}

// Where func is installed and not used, the start says why; what the app has no folder
// for is told, too.
func TestStartTellsWhatItDoes(t *testing.T) {
	path := ill(t, map[string]string{"func": "#!/bin/sh\n"})
	if err := os.Chmod(filepath.Join(path, "func"), 0o755); err != nil {
		t.Fatal(err)
	}
	inMemory := environment{own: []string{"AzureWebJobsStorage=" + memory}}
	t.Setenv("PATH", path)
	if got := standaloneNotice(inMemory); !strings.Contains(got, "func is not used") {
		t.Errorf("%q", got)
	}
	t.Setenv("PATH", t.TempDir())
	if got := standaloneNotice(inMemory); strings.Contains(got, "func is not used") {
		t.Errorf("%q", got)
	}
	var out bytes.Buffer
	hints(options{dir: t.TempDir(), port: 7080}, &out)
	if !strings.Contains(out.String(), "There is no DurableTask/function.json") {
		t.Errorf("%q", out.String())
	}
	out.Reset()
	hints(options{dir: filepath.Join("..", ".."), port: 7080}, &out)
	if !inOrderOf(out.String(), "http://localhost:7080/api/durabletask/dashboard|durable run NAME --url http://localhost:7080") {
		t.Errorf("%q", out.String())
	}
}

// Of an emulator that answers in part, the ports are named.
func TestPartOfAnEmulator(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	up, down := l.Addr().(*net.TCPAddr).Port, freePorts(t, 2)
	env := environment{settings: map[string]string{"AzureWebJobsStorage": (&azurite.Server{Blob: down[0], Queue: up, Table: down[1]}).ConnectionString()}}
	_, err = startEmulator(t.Context(), t.TempDir(), env, io.Discard)
	if want := fmt.Sprintf("only %v answer, %v do not", []int{up}, down); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
}
