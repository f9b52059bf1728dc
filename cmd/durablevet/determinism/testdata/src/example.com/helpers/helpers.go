// Package helpers does not use durable: what it does is found through facts.
package helpers

import (
	"errors"
	"maps"
	"os"
	"slices"
	"sync"
	"time"
)

func Stamp() string { return time.Now().String() } // want Stamp:"DUR001 time.Now"

func Label(s string) string { return s + Stamp() } // want Label:"DUR001 time.Now"

// Generic calls something that is not the same in each run.
func Generic[T any](v T) (T, time.Time) { return v, time.Now() } // want Generic:"DUR001 time.Now"

type Clock[T any] struct{ v T }

func (c Clock[T]) Read() time.Time { return time.Now() } // want Read:"DUR001 time.Now"

func Pure(s string) string { return s + "!" }

func Load(name string) ([]byte, error) { return os.ReadFile(name) } // want Load:"DUR005 os.ReadFile"

func Keys(m map[string]int) (keys []string) { // want Keys:"DUR004 the order of a map, on which the slice keys depends,"
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

func SortedKeys(m map[string]int) []string { return slices.Sorted(maps.Keys(m)) }

func Sum(m map[string]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}

var Region = os.Getenv("REGION") // want Region:"DUR006 os.Getenv"

var ErrNone = errors.New("none")

var (
	mu    sync.Mutex
	cache = map[string]string{}
)

// Locked takes a lock, which is not followed; Memo writes a variable, which is.
func Locked() {
	mu.Lock()
	defer mu.Unlock()
}

func Memo(s string) string { // want Memo:"DUR008 a write of the variable cache of the package"
	cache[s] = s
	return s
}

// Wait waits at both ends of a channel.
func Wait() int { // want Wait:"DUR003 a go statement"
	c := make(chan int)
	go func() { c <- 1 }()
	return <-c
}

// Trusted has a comment, so callers need none.
func Trusted() time.Time {
	return time.Now() //durable:ignore DUR001 -- callers only log it
}
