package simulation

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// trace is what happened in a run, line by line.
type trace struct {
	mu    sync.Mutex // guards lines
	lines []string
}

func (t *trace) add(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, time.Now().UTC().Format("02 15:04:05.000000 ")+fmt.Sprintf(format, args...))
}

func (t *trace) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.lines, "\n")
}
