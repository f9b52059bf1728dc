package durabletest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/durable-go/functions/internal/engine"
)

// bubble runs f in a bubble of package testing/synctest. Goroutines that hang
// when nothing can wake them up, which would end the test binary, are an error
// that shows them.
func bubble(t *testing.T, f func(t *testing.T)) (hang error) {
	t.Helper()
	mark := ""
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		err, ok := p.(error)
		if !ok || !strings.HasPrefix(err.Error(), "deadlock: ") {
			panic(p)
		}
		hang = fmt.Errorf("goroutines of the test hang, and nothing is left that could wake them up:\n\n%s", marked(mark))
	}()
	synctest.Test(t, func(t *testing.T) {
		mark = bubbleMark()
		f(t)
	})
	return nil
}

// bubbleMark is what the stacks of all goroutines of the bubble have in their
// first line.
func bubbleMark() string {
	buf := make([]byte, 200)
	first, _, _ := bytes.Cut(buf[:runtime.Stack(buf, false)], []byte("]:"))
	_, mark, _ := bytes.Cut(first, []byte(", synctest bubble "))
	return fmt.Sprintf(", synctest bubble %s]:", mark)
}

// marked are the stacks of the goroutines that have a mark.
func marked(mark string) string {
	var out []string
	for stack := range strings.SplitSeq(string(engine.Stacks()), "\n\n") {
		if first, _, _ := strings.Cut(stack, "\n"); strings.HasSuffix(first, mark) && !strings.Contains(first, "running") {
			out = append(out, stack)
		}
	}
	return strings.Join(out, "\n\n")
}

// gaveUp notes that code of an orchestrator hangs: its goroutine outlives the
// bubble, and a test may expect that.
func (e *Env) gaveUp() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hangs = true
}

// hanging are the orchestrators whose code was given up and has not come back.
func (e *Env) hanging() (all []*engine.BlockedError) {
	e.mu.Lock()
	workers := e.workers
	e.mu.Unlock()
	for _, w := range workers {
		all = append(all, w.Blocked()...)
	}
	return all
}

// unseen are the orchestrators that hang and of which the test could not know:
// their instances do not say so, or were given up when everything had to end.
// It is called when all processes have ended; seen are those before.
func (e *Env) unseen(seen []*engine.BlockedError) error {
	var errs []error
	for _, b := range e.hanging() {
		e.gaveUp()
		row, err := e.store.Instance(context.Background(), b.InstanceID)
		if err != nil || row.Parked == "" || !slices.Contains(seen, b) {
			errs = append(errs, b)
		}
	}
	return errors.Join(errs...)
}
