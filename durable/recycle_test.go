package durable

import (
	"errors"
	"testing"

	"github.com/durable-go/functions/internal/engine"
)

func TestOnlyCodeThatKeepsComputingIsBurning(t *testing.T) {
	spins, waits, later := &engine.BlockedError{Running: true}, &engine.BlockedError{}, &engine.BlockedError{Running: true}
	var b burning
	for i, c := range []struct {
		blocked []*engine.BlockedError
		want    *engine.BlockedError
	}{
		{nil, nil},
		{[]*engine.BlockedError{spins, waits}, nil}, // it may come back
		{[]*engine.BlockedError{waits}, nil},        // it did
		{[]*engine.BlockedError{later, waits}, nil},
		{[]*engine.BlockedError{later, waits}, later},
	} {
		if got := b.look(c.blocked); got != c.want {
			t.Errorf("look %d finds %p, want %p", i+1, got, c.want)
		}
	}
	if !errors.Is(errRecycled, errStopped) {
		t.Error("a process that is replaced says that something is wrong with the app")
	}
}
