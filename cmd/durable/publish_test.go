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
)

// standIn is the deployment service of an app on this machine, and the identity of
// the pipeline that deploys to it.
type standIn struct {
	*httptest.Server
	uploadPath string
	upload     int    // answer to the package
	end        string // last state
	atEnd      func() // called when the last state is asked for
	got        []byte
	looks      int
}

func newStandIn(t *testing.T) *standIn {
	t.Helper()
	s := &standIn{uploadPath: "/api/publish", upload: http.StatusAccepted, end: `{"status":4,"complete":true}`}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	t.Setenv("IDENTITY_ENDPOINT", s.URL+"/identity")
	t.Setenv("IDENTITY_HEADER", "pipeline")
	for _, name := range []string{"AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE"} {
		t.Setenv(name, "")
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/identity" {
		if r.Header.Get("X-IDENTITY-HEADER") != "pipeline" || !strings.HasPrefix(r.URL.Query().Get("resource"), "https://management.azure.com") {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_, _ = fmt.Fprint(w, `{"access_token":"good","expires_on":"4102444800","resource":"x","token_type":"Bearer"}`)
		return
	}
	if r.Header.Get("Authorization") != "Bearer good" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	switch r.Method + " " + r.URL.Path {
	case "POST " + s.uploadPath:
		s.got, _ = io.ReadAll(r.Body)
		if r.Header.Get("Content-Type") != "application/zip" {
			s.got = nil
		}
		w.WriteHeader(s.upload)
		_, _ = fmt.Fprint(w, `"d1"`)
	case "GET /api/deployments/d1":
		if s.looks++; s.looks == 1 {
			_, _ = fmt.Fprint(w, `{"status":0,"complete":false,"progress":"Unpacking"}`)
			return
		}
		if s.atEnd != nil {
			s.atEnd()
		}
		_, _ = fmt.Fprint(w, s.end)
	case "GET /api/deployments/d1/log":
		_, _ = fmt.Fprint(w, `[{"message":"the package has no host.json"}]`)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// What pack writes reaches the deployment service as it is, with a token and without a
// password, and the error is what became of it.
func TestPublish(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*standIn)
		args    string
		says    string // what is printed in the end; with fails, in the error
		fails   bool
		arrives bool
	}{
		{"Flex Consumption", nil, "", "  Unpacking\nDeployed\n", false, true},
		{"Dedicated", func(s *standIn) { s.uploadPath = "/api/zipdeploy" }, "--dedicated", "  Unpacking\nDeployed\n", false, true},
		{"the wrong plan", nil, "--dedicated", "--dedicated", true, false},
		{"a package that fails", func(s *standIn) { s.end = `{"status":3,"complete":true}` }, "", "the package has no host.json", true, true},
		{"another deployment", func(s *standIn) { s.upload = http.StatusConflict }, "", "another deployment is under way", true, true},
		{"no role", func(s *standIn) { s.upload = http.StatusForbidden }, "", "Website Contributor", true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			app := newStandIn(t)
			if c.change != nil {
				c.change(app)
			}
			o, out := app.options(t, strings.Fields(c.args)...), &bytes.Buffer{}
			err := o.deploy(t.Context(), out)
			if text := out.String() + fmt.Sprint(err); (err != nil) != c.fails || !strings.Contains(text, c.says) || strings.Contains(text, "good") {
				t.Errorf("%v, want %q, and no token:\n%s", err, c.says, out)
			}
			if arrived := string(app.got) == "a package"; arrived != c.arrives {
				t.Errorf("the package arrived as %q", app.got)
			}
		})
	}
}

// options are those of a publish of a small package to the stand-in.
func (s *standIn) options(t *testing.T, args ...string) publishOptions {
	t.Helper()
	file := filepath.Join(t.TempDir(), "app.zip")
	if err := os.WriteFile(file, []byte("a package"), 0o600); err != nil {
		t.Fatal(err)
	}
	var o publishOptions
	cmd := publishCommand(func(_ context.Context, got publishOptions, _ io.Writer) error {
		o = got
		return nil
	})
	if err := try(t, cmd, append(args, "--package", file, s.URL)...); err != nil {
		t.Fatal(err)
	}
	o.every = time.Millisecond
	return o
}

// A deployment that does not end is an error, and not a success.
func TestPublishDoesNotWaitForever(t *testing.T) {
	app := newStandIn(t)
	app.end = `{"status":1}`
	ctx, cancel := context.WithCancel(t.Context())
	app.atEnd = cancel
	o := app.options(t)
	if err := o.deploy(ctx, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want the end of the context", err)
	}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"publish", "--timeout", "1ns", "--package", o.pack, app.URL}, &out, &out); code != 1 {
		t.Errorf("no time: exit code %d, want 1: %s", code, &out)
	}
}

func TestDeploymentSite(t *testing.T) {
	for app, want := range map[string]string{
		"myapp":                       "https://myapp.scm.azurewebsites.net",
		"myapp.azurewebsites.net":     "https://myapp.scm.azurewebsites.net",
		"a-x1.we-01.azurewebsites.us": "https://a-x1.scm.we-01.azurewebsites.us",
		"https://a.scm.example.com/":  "https://a.scm.example.com",
		"http://127.0.0.1:7000":       "http://127.0.0.1:7000",
		"http://a.scm.example.com":    "",
		"ftp://127.0.0.1":             "",
		"my app":                      "",
		"https://x/y":                 "",
		"":                            "",
	} {
		got, err := deploymentSite(app)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q is %q (%v), want %q", app, got, err, want)
		}
	}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"publish"}, &out, &out); code != 2 {
		t.Errorf("without an app: exit code %d: %s", code, &out)
	}
	if code := run(t.Context(), []string{"publish", "--package", "/nowhere/app.zip", "myapp"}, &out, &out); code != 1 || !strings.Contains(out.String(), "durable pack writes it") {
		t.Errorf("without a package: exit code %d: %s", code, &out)
	}
}
