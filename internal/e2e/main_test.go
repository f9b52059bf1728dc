//go:build linux

// Package e2e runs the lab and a test app on the real Functions host, with the
// storage emulator.
package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"
	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/e2e/host"
)

// patience ends a test that hangs. No test needs anything like it.
const patience = 3 * time.Minute

func TestMain(m *testing.M) {
	code := azuritetest.Run(runner{m})
	os.Exit(code)
}
