// Package lib belongs to a module of others.
package lib

import (
	"fmt"
	"sync"
	"time"
)

var (
	mu    sync.Mutex
	calls int
)

// Stamp reads the clock.
func Stamp() string { return time.Now().String() }

// Log prints.
func Log(text string) { fmt.Println(text) }

// Locked counts under a lock.
func Locked() {
	mu.Lock()
	defer mu.Unlock()
	calls++
}
