package supervise

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// tail passes what a child writes to stderr on and keeps what says best why it
// ended: the head of a panic, else the last lines.
type tail struct {
	to io.Writer

	mu      sync.Mutex
	partial []byte
	last    []string
	panic   string
}

const (
	// maxLine bounds what is kept of one line.
	maxLine = 1000
	// lastLines is how many lines are kept; the host shows as many.
	lastLines = 3
)

// Write never fails: a child must not die because nobody reads its logs.
func (t *tail) Write(p []byte) (int, error) {
	_, _ = t.to.Write(p)
	t.mu.Lock()
	defer t.mu.Unlock()
	for rest := p; len(rest) > 0; {
		line, after, whole := bytes.Cut(rest, []byte("\n"))
		t.partial = append(t.partial, line[:min(len(line), max(0, maxLine-len(t.partial)))]...)
		if whole {
			t.endLine()
		}
		rest = after
	}
	return len(p), nil
}

func (t *tail) endLine() {
	line := strings.TrimSpace(string(t.partial))
	t.partial = t.partial[:0]
	if line == "" {
		return
	}
	t.last = append(t.last[max(0, len(t.last)-lastLines+1):], line)
	// A dying Go program says so first and lists its goroutines after it.
	if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
		t.panic = line
	}
}

// reason is one line: how a panic begins, else the last lines of stderr and, after
// them, what was logged last. It is empty when nothing was written.
func (t *tail) reason(logged string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.endLine()
	if t.panic != "" {
		return t.panic
	}
	lines := t.last
	if logged != "" {
		lines = append(lines[:len(lines):len(lines)], logged)
	}
	return strings.Join(lines, "; ")
}
