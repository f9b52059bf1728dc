package determinism

import (
	"go/types"
	"slices"
	"strings"
)

// impure describes what a function or variable outside the module does that an
// orchestrator must not.
type impure struct {
	rule *rule
	// blocks reports that it waits: a recorded closure must not do it either.
	blocks bool
}

var (
	readsClock  = &impure{rule: ruleClock}
	waitsClock  = &impure{rule: ruleClock, blocks: true}
	draws       = &impure{rule: ruleRandom}
	shares      = &impure{rule: ruleConcurrency}
	concurrent  = &impure{rule: ruleConcurrency, blocks: true}
	doesIO      = &impure{rule: ruleIO, blocks: true}
	environment = &impure{rule: ruleEnv}
	logs        = &impure{rule: ruleLog}
	addresses   = &impure{rule: rulePointer}
)

// members are the functions (F), methods (T.M) and variables of a package that
// are impure. A name that ends in * stands for all with that beginning.
type members []struct {
	does  *impure
	names string
}

// standard are the impure members of packages outside the module. What is not
// here is either pure or, for modules of others, found in its code.
var standard = map[string]members{
	"time": {
		{readsClock, "Now Since Until"},
		{waitsClock, "After AfterFunc Tick Sleep NewTimer NewTicker"},
		{environment, "Local Time.Local"},
	},
	"context":   {{waitsClock, "WithTimeout WithTimeoutCause WithDeadline WithDeadlineCause"}},
	"math/rand": {{draws, "Int Int31 Int31n Int63 Int63n Intn Uint32 Uint64 Float32 Float64 ExpFloat64 NormFloat64 Perm Shuffle Read Seed"}},
	"math/rand/v2": {
		{draws, "Int IntN Int32 Int32N Int64 Int64N Uint UintN Uint32 Uint32N Uint64 Uint64N N Float32 Float64 ExpFloat64 NormFloat64 Perm Shuffle"},
	},
	"crypto/rand":            {{draws, "*"}},
	"hash/maphash":           {{draws, "MakeSeed"}},
	"uuid":                   {{draws, "New*"}},
	"github.com/google/uuid": {{draws, "New NewString NewRandom NewRandomFromReader NewUUID NewV6 NewV7 NewV7FromReader NewDCE*"}},
	"sync": {
		{shares, "Mutex.* RWMutex.* Once.* Pool.* Map.* OnceFunc OnceValue OnceValues"},
		{concurrent, "WaitGroup.* Cond.*"},
	},
	"sync/atomic":                    {{shares, "*"}},
	"golang.org/x/sync/errgroup":     {{concurrent, "*"}},
	"golang.org/x/sync/semaphore":    {{concurrent, "*"}},
	"golang.org/x/sync/singleflight": {{concurrent, "*"}},
	"runtime": {
		{concurrent, "Gosched Goexit LockOSThread UnlockOSThread"},
		{environment, "NumCPU NumGoroutine GOMAXPROCS ReadMemStats NumCgoCall"},
	},
	"os": {
		{environment, "Args Getenv LookupEnv Environ ExpandEnv Setenv Unsetenv Clearenv Hostname Getpid Getppid Getuid Getgid Geteuid Getegid Getgroups Getwd TempDir UserHomeDir UserCacheDir UserConfigDir Executable Getpagesize"},
		{logs, "Stdout Stderr"},
		{doesIO, "Stdin Chdir Chmod Chown Chtimes CopyFS Create CreateTemp DirFS Exit FindProcess Lchown Link Lstat Mkdir MkdirAll MkdirTemp NewFile Open OpenFile OpenInRoot OpenRoot Pipe ReadDir ReadFile Readlink Remove RemoveAll Rename StartProcess Stat Symlink Truncate WriteFile File.* Root.* Process.*"},
	},
	"os/exec":   {{doesIO, "Command CommandContext LookPath Cmd.*"}},
	"os/signal": {{concurrent, "*"}},
	"os/user":   {{environment, "*"}},
	"flag":      {{environment, "*"}},
	"syscall":   {{doesIO, "*"}},
	"plugin":    {{doesIO, "*"}},
	"io/ioutil": {{doesIO, "ReadDir ReadFile TempDir TempFile WriteFile"}},
	"net": {
		{doesIO, "Dial* Listen* Lookup* Interface* Resolve* FileConn FileListener FilePacketConn Dialer.* Resolver.* ListenConfig.* Conn.* Listener.* TCPConn.* UDPConn.* UnixConn.* IPConn.* TCPListener.* UnixListener.*"},
	},
	"net/http": {
		{doesIO, "Get Head Post PostForm ListenAndServe ListenAndServeTLS Serve ServeTLS Client.* Transport.* Server.ListenAndServe* Server.Serve* Server.Shutdown RoundTripper.RoundTrip"},
	},
	"net/smtp":      {{doesIO, "SendMail Dial Client.*"}},
	"net/rpc":       {{doesIO, "Dial* Client.* ServeConn Serve"}},
	"crypto/tls":    {{doesIO, "Dial* Listen Dialer.*"}},
	"database/sql":  {{doesIO, "Open OpenDB DB.* Conn.* Tx.* Stmt.* Rows.* Row.Scan"}},
	"path/filepath": {{doesIO, "Abs EvalSymlinks Glob Walk WalkDir"}},
	"fmt": {
		{logs, "Print Printf Println"},
		{doesIO, "Scan Scanf Scanln"},
	},
	"log":      {{logs, "Print Printf Println Fatal Fatalf Fatalln Panic Panicf Panicln Output Default Writer"}},
	"log/slog": {{logs, "Debug DebugContext Info InfoContext Warn WarnContext Error ErrorContext Log LogAttrs Default"}},
	"reflect":  {{addresses, "Value.Pointer Value.UnsafePointer Value.UnsafeAddr"}},
}

// weak members are not followed through helpers: there they guard what is
// shared, as caches and counters do, and the result is the same.
var weak = map[string]string{
	"sync":        "Mutex. RWMutex. Once. Pool. Map. OnceFunc OnceValue OnceValues",
	"sync/atomic": "",
}

// isWeak reports whether obj is a weak member.
func isWeak(obj types.Object) bool {
	beginnings, ok := weak[obj.Pkg().Path()]
	if !ok {
		return false
	}
	return beginnings == "" || slices.ContainsFunc(strings.Fields(beginnings), func(b string) bool {
		return strings.HasPrefix(memberName(obj), b)
	})
}

// memberName is the name of an object in the tables.
func memberName(obj types.Object) string {
	if f, ok := obj.(*types.Func); ok {
		if recv := f.Signature().Recv(); recv != nil {
			if n := namedOf(recv.Type()); n != nil {
				return n.Obj().Name() + "." + f.Name()
			}
		}
	}
	return obj.Name()
}

// impurity returns what an object outside the module does; nil when the tables
// do not have it.
func impurity(obj types.Object) *impure {
	if obj.Pkg() == nil {
		return nil
	}
	path, name := obj.Pkg().Path(), memberName(obj)
	for _, m := range standard[path] {
		for _, pattern := range strings.Fields(m.names) {
			beginning, all := strings.CutSuffix(pattern, "*")
			if name == pattern || all && strings.HasPrefix(name, beginning) && isValue(obj) {
				return m.does
			}
		}
	}
	if f, ok := obj.(*types.Func); ok && callsService(path, f) {
		return doesIO
	}
	return nil
}

// isValue reports whether an object is a function or a variable that is not an
// error: os.ErrNotExist and its like are constant.
func isValue(obj types.Object) bool {
	switch o := obj.(type) {
	case *types.Func:
		return true
	case *types.Var:
		return !types.Implements(o.Type(), types.Universe.Lookup("error").Type().Underlying().(*types.Interface))
	}
	return false
}

// services are modules whose functions with a context.Context make requests.
var services = []string{
	durablePath,
	"github.com/Azure/azure-sdk-for-go/sdk/",
	"github.com/aws/aws-sdk-go-v2/",
	"google.golang.org/grpc",
	"cloud.google.com/go/",
}

// callsService reports whether a function makes a request: one with a
// context.Context in the module of a service, or a method of a client.
func callsService(path string, f *types.Func) bool {
	params := f.Signature().Params()
	if params.Len() == 0 || !isGoContext(params.At(0).Type()) || takes(f.Signature(), isContext) {
		return false
	}
	if slices.ContainsFunc(services, func(s string) bool { return path == s || strings.HasSuffix(s, "/") && strings.HasPrefix(path, s) }) {
		return true
	}
	recv := f.Signature().Recv()
	if recv == nil || !strings.Contains(path, ".") {
		return false
	}
	n := namedOf(recv.Type())
	return n != nil && slices.ContainsFunc([]string{"Client", "Conn", "Pool", "DB"}, func(end string) bool {
		return strings.HasSuffix(n.Obj().Name(), end)
	})
}

// tabled are the beginnings of packages whose code is not followed, for the
// table says enough of them: package durable, what it is made of, and what it
// needs.
var tabled = []string{
	durablePath, "github.com/durable-go/functions/internal/", "github.com/durable-go/functions/handler",
	"github.com/Azure/azure-sdk-for-go/", "github.com/AzureAD/", "github.com/google/uuid", "golang.org/x/",
}

// Tabled reports whether a package has no facts: those of the standard library,
// and what package durable brings with it.
func Tabled(path, module string) bool {
	return standardPath(path, module) || slices.ContainsFunc(tabled, func(beginning string) bool {
		return path == beginning || strings.HasPrefix(path, strings.TrimSuffix(beginning, "/")+"/")
	})
}

// standardPath reports whether a package belongs to the standard library.
func standardPath(path, module string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".") && (module == "" || module == "std" || module == "cmd")
}
