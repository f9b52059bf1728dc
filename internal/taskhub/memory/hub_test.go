package memory_test

import (
	"testing"
	"time"

	"github.com/durable-go/functions/internal/taskhub/memory"
	"github.com/durable-go/functions/internal/taskhub/taskhubtest"
)

func TestConformance(t *testing.T) {
	taskhubtest.Run(t, func(*testing.T) taskhubtest.Harness {
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		return taskhubtest.Harness{
			Store: memory.New(memory.Options{Now: func() time.Time { return now }}),
			Wait:  func(d time.Duration) { now = now.Add(d) },
		}
	})
}
