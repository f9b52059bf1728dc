package durabletest_test

import (
	"testing"

	"go.uber.org/goleak"
)

// No test leaves a goroutine behind, but for code that a test lets block for ever, and
// the listener to signals that an app has as long as its process lives.
func TestMain(m *testing.M) {
	const module = "github.com/durable-go/functions/"
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction(module+"internal/engine.(*Instance).apart.func2"),
		goleak.IgnoreAnyFunction(module+"internal/engine.(*Runtime).spawn.func1"),
		goleak.IgnoreTopFunction(module+"handler/supervise.enterAlone.func1"),
		goleak.IgnoreTopFunction(module+"handler/supervise.parentGone.func1"))
}
