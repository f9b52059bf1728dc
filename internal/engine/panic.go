package engine

import (
	"fmt"
	"path"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/durable-go/functions/internal/history"
)

// PanicType is the error type of a panic of user code.
const PanicType = "panic"

// PanicDetails is what the history keeps of a panic of user code: its text, the
// place in the user's code, and the stack. The deferred function that has
// recovered from the panic must be on the stack.
func PanicDetails(text string) *history.FailureDetails {
	if at := panicPlace(); at != "" {
		text += " (" + at + ")"
	}
	return &history.FailureDetails{
		ErrorType: PanicType, ErrorMessage: text, StackTrace: history.Payload(debug.Stack()), NonRetriable: true,
	}
}

// panicPlace is the line of the user's code that panicked, or that called what
// did: "orders/pay.go:41". It is empty where there is none on the stack.
func panicPlace() string {
	pcs := make([]uintptr, 128)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	source, panicking := "", false
	for {
		f, more := frames.Next()
		switch {
		case f.Function == "runtime.gopanic":
			source, panicking = strings.TrimSuffix(f.File, "runtime/panic.go"), true
		case panicking && !isOurs(f) && !isStandard(f, source):
			return fmt.Sprintf("%s/%s:%d", path.Base(path.Dir(f.File)), path.Base(f.File), f.Line)
		}
		if !more {
			return ""
		}
	}
}

// ourModule begins the names of the packages of this module.
var ourModule = strings.TrimSuffix(reflect.TypeFor[Instance]().PkgPath(), "internal/engine")

// isOurs reports whether a frame is one of the engine and what is around it. The
// functions of an app may be in the same module.
func isOurs(f runtime.Frame) bool {
	name, ours := strings.CutPrefix(f.Function, ourModule)
	return ours && !strings.HasSuffix(f.File, "_test.go") &&
		(strings.HasPrefix(name, "internal/") || strings.HasPrefix(name, "durable.") || strings.HasPrefix(name, "durabletest."))
}

// isStandard reports whether a frame is one of the standard library, whose source
// is in that directory. A build with -trimpath leaves the directory out: there
// its packages are those without a dot before the first slash, but for those of
// the program.
func isStandard(f runtime.Frame, source string) bool {
	if source != "" {
		return strings.HasPrefix(f.File, source)
	}
	first, _, _ := strings.Cut(f.File, "/")
	return !strings.Contains(first, ".") && !strings.HasPrefix(f.Function, "main.") && !inProgram(f.Function)
}

// inProgram reports whether a function is of the module of the program.
func inProgram(function string) bool {
	info, ok := debug.ReadBuildInfo()
	return ok && info.Main.Path != "" && strings.HasPrefix(function, info.Main.Path)
}
