//go:build !race

package durable

import "testing"

// TestParkedMemory keeps the memory of a parked orchestration small. A stack that
// has grown has twice the size, so the bounds leave room for what else the
// process does meanwhile. The race detector makes everything larger.
func TestParkedMemory(t *testing.T) {
	heap, stack := parkedMemory(t, 2000)
	if heap > 2.5*1024 || stack > 3*1024 {
		t.Errorf("a parked orchestration needs %.0f bytes of heap and %.0f of stack", heap, stack)
	}
}
