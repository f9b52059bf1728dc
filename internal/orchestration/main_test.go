package orchestration

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when tests leave goroutines behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
