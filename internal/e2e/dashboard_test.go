//go:build linux

package e2e

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/e2e/host"
)

// browserPatience ends browser tests that hang.
const browserPatience = 20 * time.Minute

// chromium is the browser for tests: CHROMIUM, or one on the PATH.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if azuritetest.Required() {
		t.Fatal("no browser: apt-get install chromium, or set CHROMIUM")
	}
	t.Skip("no browser: install chromium, or set CHROMIUM to one")
	return ""
}

// The dashboard in a real browser, on the real host: see web/test/browser.
func TestDashboard(t *testing.T) {
	browser := chromium(t)
	root, err := host.Root()
	if err != nil {
		t.Fatal(err)
	}
	web := filepath.Join(root, "internal", "dashboard", "web")
	if _, err := os.Stat(filepath.Join(web, "node_modules", "playwright-core")); err != nil {
		if azuritetest.Required() {
			t.Fatal(err)
		}
		t.Skip("no packages: npm ci in internal/dashboard/web brings them")
	}
	host.NeedFunc(t)
	h := host.Run(t, host.Options{Main: "./internal/e2e/shopapp", Storage: azuritetest.Server(t).ConnectionString(), Hub: azuritetest.HubName()})
	pictures := os.Getenv("DURABLE_PICTURES")
	if pictures == "" {
		pictures = t.TempDir()
	}
	durable := filepath.Join(t.TempDir(), "durable")
	if err := host.Build(root, "./cmd/durable", durable); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), browserPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "run", "--silent", "browser")
	cmd.Dir = web
	cmd.Env = append(os.Environ(), "DASHBOARD="+h.URL+"/api/durabletask/dashboard", "KEYED="+keyedDashboard(t, durable, h.URL), "DURABLE="+durable, "CHROMIUM="+browser, "PICTURES="+pictures)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("npm run browser: %v", err)
	}
}

// keyedDashboard runs "durable dashboard --url" on the app and returns the
// address that it prints, which has a key.
func keyedDashboard(t *testing.T, durable, app string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, durable, "dashboard", "--url", app)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := cmd.Wait(); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("durable dashboard: %v", err)
		}
	})
	address := regexp.MustCompile(`http://\S+code=\S+`)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if found := address.FindString(lines.Text()); found != "" {
			return found
		}
	}
	t.Fatal("durable dashboard printed no address")
	return ""
}
