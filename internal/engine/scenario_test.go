package engine_test

import (
	"flag"
	"testing"

	"github.com/durable-go/functions/internal/engine/enginetest"
)

var rewrite = flag.Bool("rewrite", false, "write what came out into testdata/*.txt")

// TestScenarios plays testdata/*.txt, whose code is a script.
func TestScenarios(t *testing.T) {
	enginetest.Play(t, enginetest.Options{Language: scripts, Rewrite: *rewrite, Done: func(s *enginetest.Scenario) { recordGolden(t, s) }})
}
