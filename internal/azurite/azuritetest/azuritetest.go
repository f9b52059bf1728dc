// Package azuritetest gives tests an emulator: one for each test binary.
package azuritetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/durable-go/functions/internal/azurite"
)

// Required means that a missing tool is an error and no reason to skip a test.
func Required() bool { return os.Getenv("DURABLE_REQUIRE_TOOLS") == "1" }

var shared struct {
	sync.Mutex
	server *azurite.Server
	dir    string
	err    error
	tried  bool
}

// Run is what TestMain of a package that uses Server does: it runs the tests
// and ends the emulator.
func Run(m *testing.M) int {
	code := m.Run()
	stop()
	return code
}

// RunWithoutLeaks is Run for tests that leave no goroutine behind, but for those that
// are ignored; otherwise they have failed.
func RunWithoutLeaks(m *testing.M, ignored ...goleak.Option) int {
	if code := Run(m); code != 0 {
		return code
	}
	if err := goleak.Find(ignored...); err != nil {
		fmt.Fprintln(os.Stderr, "goroutines are left after the tests:", err)
		return 1
	}
	return 0
}

// stop ends the emulator, and with it the connections to it.
func stop() {
	shared.Lock()
	defer shared.Unlock()
	if shared.server != nil {
		shared.server.Stop()
		_ = os.RemoveAll(shared.dir)
	}
}

// Server returns the test binary's emulator. Without Node or Azurite the test
// is skipped, or fails where tools are required. The package's TestMain must
// call Run.
func Server(t testing.TB) *azurite.Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if !shared.tried {
		shared.tried = true
		shared.server, shared.dir, shared.err = start()
	}
	if shared.err == nil {
		return shared.server
	}
	if Required() {
		t.Fatalf("azurite: %v", shared.err)
	}
	t.Skipf("azurite is needed for this test: %v", shared.err)
	return nil
}

func start() (*azurite.Server, string, error) {
	script, err := azurite.Find(".")
	if err != nil && Required() {
		script, err = azurite.Install(context.Background())
	}
	if err != nil {
		return nil, "", err
	}
	dir, err := os.MkdirTemp(TempRoot(), "durable-azurite-")
	if err != nil {
		return nil, "", err
	}
	server, err := azurite.Start(context.Background(), azurite.Options{Script: script, Dir: dir})
	if err != nil {
		return nil, "", errors.Join(err, os.RemoveAll(dir))
	}
	return server, dir, nil
}

// TempRoot is where data of tests belongs: in memory where the machine has such
// a file system, else the default.
func TempRoot() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}

var hubs struct {
	sync.Mutex
	n int
}

// HubName is a task hub that no other test of this binary uses.
func HubName() string {
	hubs.Lock()
	defer hubs.Unlock()
	hubs.n++
	return fmt.Sprintf("Test%dx%d", os.Getpid(), hubs.n)
}
