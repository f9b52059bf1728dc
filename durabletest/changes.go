package durabletest

import (
	"strings"
	"sync"
)

// changes are what a test has changed about the functions of its app. F is what
// the worker runs of one.
type changes[F any] struct {
	mu sync.Mutex // guards the rest, and the fields of what has the changes
	// replaced and failing are by lower-case name.
	replaced map[string]F
	failing  map[string]failing[F]
	// changed are the names that the test gave.
	changed []string
}

// failing is a function that fails so many times more, or Always.
type failing[F any] struct {
	times int
	run   F
}

func (c *changes[F]) replace(name string, run F) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.replaced == nil {
		c.replaced = map[string]F{}
	}
	c.replaced[strings.ToLower(name)] = run
	c.changed = append(c.changed, name)
}

func (c *changes[F]) fail(name string, times int, run F) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failing == nil {
		c.failing = map[string]failing[F]{}
	}
	c.failing[strings.ToLower(name)] = failing[F]{times, run}
	c.changed = append(c.changed, name)
}

// has reports whether the test gives a function code of its own. The caller holds
// the lock.
func (c *changes[F]) has(key string) bool {
	_, replaced := c.replaced[key]
	return replaced || c.failing[key].times != 0
}

// take is what runs instead of a function now; false: the function itself. The
// caller holds the lock.
func (c *changes[F]) take(key string) (run F, changed bool) {
	if f := c.failing[key]; f.times != 0 {
		f.times = max(f.times-1, Always)
		c.failing[key] = f
		return f.run, true
	}
	run, changed = c.replaced[key]
	return run, changed
}
