package engine

import (
	"bytes"
	"fmt"
	"runtime"
	"strconv"
	"strings"
)

// BlockedError means that orchestrator code was given up: it did not come back
// from something that only activities may do.
type BlockedError struct {
	InstanceID   string
	Orchestrator string
	// Where is what the code was doing, and in which of its functions.
	Where string
	// Running means that the code computed when it was given up, rather than waited:
	// it may burn a processor for as long as the process lives.
	Running bool
	// Foreign means that another goroutine has used the Context, which ended that
	// goroutine: the code may wait for it.
	Foreign bool
	// returned is called when the code has come back after all.
	returned func()
}

// Error says what the code does and what to do about it.
func (e *BlockedError) Error() string {
	if e.Foreign {
		return fmt.Sprintf("Blocked orchestrator: %v. That call ended its goroutine, for which orchestrator '%s' seems to wait: %s. "+
			"Deploy code that does not; the instance then goes on.", &foreignCall{}, e.Orchestrator, e.Where)
	}
	return fmt.Sprintf("Blocked orchestrator: orchestrator '%s' does not come back: %s. "+
		"An orchestrator must not wait for anything but its tasks: use timers, events and activities of the Context "+
		"instead of sleeping, channels, locks, I/O and long computations. Deploy code that does not block; the instance then goes on.",
		e.Orchestrator, e.Where)
}

// What the code of an instance is doing, see apart.
const (
	idle int32 = iota
	running
	lost
)

// apart runs f on a goroutine that nobody misses: user code may end it, and it
// may never come back. Then GiveUp ends the wait, and from there on the
// instance belongs to that goroutine alone.
func (i *Instance) apart(f func()) {
	done := make(chan struct{})
	if i.state.Load() != idle { // already on such a goroutine
		go func() {
			defer close(done)
			f()
		}()
		<-done
		return
	}
	i.done = done
	i.state.Store(running)
	go func() {
		defer func() {
			if i.state.CompareAndSwap(running, idle) {
				close(done)
				return
			}
			i.cameBack()
		}()
		f()
	}()
	<-done
	i.done = nil
}

// cameBack ends code that was given up: nobody has seen what it did since.
func (i *Instance) cameBack() {
	i.giveUp.Lock()
	returned := i.blocked.returned
	i.giveUp.Unlock()
	i.rt.close()
	returned()
}

// Progress counts the events that the code has worked on. While the code runs
// and the count stands still, it works on one of them. It may be called by any
// goroutine.
func (i *Instance) Progress() uint64 { return i.progress.Load() }

// GiveUp ends a call of Turn, Load or Close that does not come back: it returns
// the error at once, and nobody may use the instance any more. The code is not
// stopped, which Go cannot do, but it ends at its next call of the Runtime, and
// returned is called when it has. GiveUp may be called by any goroutine; false
// means that no call is under way.
func (i *Instance) GiveUp(err *BlockedError, returned func()) bool {
	i.giveUp.Lock()
	defer i.giveUp.Unlock()
	if !i.state.CompareAndSwap(running, lost) {
		return false
	}
	i.blocked = err
	err.returned = returned
	i.rt.lost.Store(true)
	close(i.done)
	return true
}

// Blocked describes what the code is doing that it does not come back from,
// from the stacks of all goroutines (see Stacks). It may be called by any
// goroutine.
func (i *Instance) Blocked(stacks []byte) *BlockedError {
	e := &BlockedError{InstanceID: i.options.InstanceID, Where: "it runs", Foreign: i.rt.foreign.Load()}
	if name := i.rt.name.Load(); name != nil {
		e.Orchestrator = *name
	}
	if stack := stackOf(stacks, i.rt.goroutine.Load()); stack != "" {
		e.Where = describeStack(stack)
		_, state, _ := strings.Cut(stack, "[")
		e.Running = strings.HasPrefix(state, "run") // running, runnable
	}
	return e
}

// maxStacks bounds the memory for the stacks of a process.
const maxStacks = 64 << 20

// Stacks are the stacks of all goroutines, as the runtime prints them. The
// process stands still meanwhile.
func Stacks() []byte {
	for size := 1 << 20; ; size *= 2 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, true); n < size || size >= maxStacks {
			return buf[:n]
		}
	}
}

// stackOf finds the stack of a goroutine. Of code that was only replayed the
// number is not known (0): then it is the only coroutine that is not parked, if
// there is only one.
func stackOf(stacks []byte, goroutine uint64) string {
	head := []byte("goroutine " + strconv.FormatUint(goroutine, 10) + " ")
	var found []byte
	for block := range bytes.SplitSeq(stacks, []byte("\n\n")) {
		switch {
		case goroutine != 0:
			if bytes.HasPrefix(block, head) {
				return string(block)
			}
		case runsCode(block) && found != nil:
			return ""
		case runsCode(block):
			found = block
		}
	}
	return string(found)
}

// runsCode reports whether the stack is of a coroutine that is not parked.
func runsCode(stack []byte) bool {
	state, frames, _ := bytes.Cut(stack, []byte("\n"))
	return !bytes.Contains(state, []byte("[coroutine")) && bytes.Contains(frames, []byte("engine.(*Runtime).spawn.func1("))
}

// ownPackages begin the names of functions that call the code or are called by
// it, and are not the code.
var ownPackages = []string{"github.com/durable-go/functions/durable.", "github.com/durable-go/functions/internal/engine."}

// describeStack says in one line what a goroutine waits for: the runtime's word
// for it, the function at the top, and the place in the code, which is the last
// function before our own (and before those of the runtime that run deferred
// calls).
func describeStack(stack string) string {
	lines := strings.Split(stack, "\n")
	_, state, _ := strings.Cut(lines[0], "[")
	state, _, _ = strings.Cut(state, "]")
	if strings.HasPrefix(state, "coroutine") {
		return "a value of its own blocks while it is encoded, decoded or logged"
	}
	top, code := "", ""
	for n := 1; n+1 < len(lines); n += 2 {
		function := lines[n]
		if open := strings.LastIndexByte(function, '('); open > 0 {
			function = function[:open]
		}
		if isOwn(function) && code != "" {
			break
		}
		place, _, _ := strings.Cut(strings.TrimSpace(lines[n+1]), " +0x")
		if top == "" {
			top = function
		}
		if !strings.HasPrefix(function, "runtime.") || code == "" {
			code = function + " (" + place + ")"
		}
	}
	return fmt.Sprintf("its goroutine is in state %q in %s, called from %s", state, top, code)
}

func isOwn(function string) bool {
	for _, own := range ownPackages {
		if strings.HasPrefix(function, own) {
			return true
		}
	}
	return false
}
