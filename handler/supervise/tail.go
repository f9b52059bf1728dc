package supervise

import (
	"bytes"
	"io"
	"sync"
)

// tail keeps the last lines of what it passes on.
type tail struct {
	mu   sync.Mutex
	last []string
}

// tailLines is how many lines are kept.
const tailLines = 5

// tailWidth bounds a kept line.
const tailWidth = 300

// through returns a writer that passes on to w and remembers.
func (t *tail) through(w io.Writer) io.Writer { return &tailWriter{tail: t, w: w} }

type tailWriter struct {
	tail    *tail
	w       io.Writer
	partial []byte
}

func (w *tailWriter) Write(p []byte) (int, error) {
	w.partial = append(w.partial, p...)
	for {
		line, rest, ok := bytes.Cut(w.partial, []byte("\n"))
		if !ok {
			break
		}
		w.tail.add(line)
		w.partial = rest
	}
	return w.w.Write(p)
}

func (t *tail) add(line []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = append(t.last, string(line[:min(len(line), tailWidth)]))
	if len(t.last) > tailLines {
		t.last = t.last[1:]
	}
}

func (t *tail) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.last...)
}

func lastLine(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return lines[len(lines)-1]
}
