package durabletest_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when tests leave goroutines behind. Two kinds are allowed: orchestrator
// code that a test blocks on purpose, and the listener to signals of an app, which lives
// as long as its process.
func TestMain(m *testing.M) {
	const module = "github.com/durable-go/functions/"
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction(module+"internal/engine.(*Instance).apart.func2"),
		goleak.IgnoreAnyFunction(module+"internal/engine.(*Runtime).spawn.func1"),
		goleak.IgnoreTopFunction(module+"handler/supervise.enterAlone.func1"),
		goleak.IgnoreTopFunction(module+"handler/supervise.parentGone.func1"))
}
