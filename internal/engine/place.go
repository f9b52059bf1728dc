package engine

import (
	"fmt"
	"path"
	"runtime"
	"strings"
)

// place is a line of the code.
type place struct {
	file string
	line int
}

func (p place) String() string {
	if p.file == "" {
		return ""
	}
	return fmt.Sprintf("%s/%s:%d", path.Base(path.Dir(p.file)), path.Base(p.file), p.line)
}

// places are where the code asks for its actions; nil unless that is wanted.
type places struct {
	// last is where the code has called the Runtime last, empty while the engine
	// goes on by itself.
	last place
	// of are those of actions that no event of the history records yet, by id.
	of map[int32]place
}

// note finds the code that has called the Runtime. The caller is check.
func (p *places) note() {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	p.last = place{}
	for more := true; more; {
		var f runtime.Frame
		if f, more = frames.Next(); !isOwn(f.Function) && !strings.HasPrefix(f.Function, "iter.") && !strings.HasPrefix(f.Function, "runtime.") {
			p.last = place{f.File, f.Line}
			return
		}
	}
}

// probe finds out where a fiber is parked: the fiber itself looks, as no goroutine
// can see the stack of another one. That costs only where it is asked for.
type probe struct {
	pcs [64]uintptr
	n   int
}

// note is called by park, which the fiber is in.
func (p *probe) note() { p.n = runtime.Callers(3, p.pcs[:]) }

// place is the innermost line of the user's code.
func (p *probe) place() place {
	if p.n == 0 {
		return place{}
	}
	frames := runtime.CallersFrames(p.pcs[:p.n])
	for {
		f, more := frames.Next()
		if !isOurs(f) && !strings.HasPrefix(f.Function, "iter.") && !strings.HasPrefix(f.Function, "runtime.") {
			return place{f.File, f.Line}
		}
		if !more {
			return place{}
		}
	}
}

// placeOf is where a fiber is parked; it stays parked.
func (rt *Runtime) placeOf(fb *fiber) place {
	if fb.yield == nil || fb.ended || fb.queued {
		return place{} // it has not begun, or does not wait
	}
	rt.probe = &probe{}
	defer func() { rt.probe = nil }()
	fb.next()
	return rt.probe.place()
}
