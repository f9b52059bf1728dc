package programs_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
	"github.com/durable-go/functions/internal/programs"
	"github.com/durable-go/functions/samples/conformance/program"
)

var (
	firstSeed = flag.Uint64("programs.first", 1, "the first seed")
	seeds     = flag.Uint64("programs.seeds", 20, "how many seeds of each kind are played")
	kinds     = flag.String("programs.kinds", strings.Join(programs.Kinds(), ","), "the kinds")
	every     = flag.Uint64("programs.every", 1, "how many seeds of each kind are played with a crash at every call")
	trace     = flag.Bool("programs.trace", false, "print each seed before it is played")
	histories = flag.Bool("programs.histories", false, "show what is recorded of a test that fails")
	shrink    = flag.Int("programs.shrink", 200, "how many smaller tests are tried when one fails")
)

// generator makes tests for virtual time: no crash takes as long to recover
// from as what is late.
var generator = programs.Generator{Late: time.Hour}

// hub is an app with the interpreter in the memory of this process.
type hub struct {
	env *durabletest.Env
	api http.Handler
	mu  sync.Mutex // guards crashes and ended
	// crashes is the chance of the next end of the process; nil: it lives on.
	crashes *rand.Rand
	ended   int
	tries   programs.Tries
}

// RoundTrip answers a request in this process.
func (h *hub) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.Path, "/rewind") {
		h.tries.Rewound()
	}
	h.arm()
	w := httptest.NewRecorder()
	h.api.ServeHTTP(w, r)
	return w.Result(), nil
}

// arm lets each process end after some more calls of storage.
func (h *hub) arm() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := h.env.Processes(); h.crashes != nil && n > h.ended && n < 5 {
		h.ended = n
		h.env.CrashAt(1 + h.crashes.IntN(30))
	}
}

// differences plays a test in an environment.
func differences(env *durabletest.Env, test programs.Test, crashes *rand.Rand) error {
	h := &hub{env: env, api: env.Client().ManagementAPI("/api"), crashes: crashes}
	durabletest.Replace(env, program.FailTimes, h.tries.Run)
	p := &programs.Player{
		API: "http://hub.example/api/", Client: &http.Client{Transport: h}, Run: "r", Limit: 10 * time.Minute, Poll: 100 * time.Millisecond, Start: programs.StartBy(env.Client()),
	}
	err := p.Check(context.Background(), test)
	if err != nil && *histories {
		err = fmt.Errorf("%w\n%s", err, record(env))
	}
	return err
}

// record is what is recorded of all instances.
func record(env *durabletest.Env) string {
	var out strings.Builder
	for s, err := range env.Client().List(context.Background(), durable.Query{}) {
		if err != nil {
			return err.Error()
		}
		fmt.Fprintf(&out, "%s %s\n%v\n", s.InstanceID, s.RuntimeStatus, durabletest.Find[program.Value](env, s.InstanceID).History())
	}
	return out.String()
}

// check plays a test on a hub of its own.
func check(test programs.Test, o durabletest.Options, crash bool) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	o.Log = slog.New(slog.DiscardHandler)
	o.Example(func(env *durabletest.Env) {
		var crashes *rand.Rand
		if crash {
			crashes = rand.New(rand.NewPCG(test.Seed, 1))
		}
		err = differences(env, test, crashes)
	}, program.Functions()...)
	return err
}

// play plays all seeds of all kinds that the flags name, and shows for each
// failure the smallest test that fails like it.
func play(t *testing.T, o durabletest.Options, crash bool) {
	for kind := range strings.SplitSeq(*kinds, ",") {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			for seed := *firstSeed; seed < *firstSeed+*seeds; seed++ {
				if *trace {
					fmt.Printf("play %s %d\n", kind, seed)
				}
				test := generator.Make(kind, seed)
				err := check(test, o, crash)
				if err == nil {
					continue
				}
				t.Errorf("seed %d: %v", seed, err)
				small := programs.Shrink(test, *shrink, func(t programs.Test) bool { return alike(err, check(t, o, crash)) })
				t.Fatalf("the smallest is %s\n%v", programs.Show(small), check(small, o, crash))
			}
		})
	}
}

// So it is wherever the process ends, at every call of storage that one program
// of each kind makes.
func TestProgramsInEveryCrash(t *testing.T) {
	for kind := range strings.SplitSeq(*kinds, ",") {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			for seed := *firstSeed; seed < *firstSeed+*every; seed++ {
				everyCrash(t, kind, seed)
			}
		})
	}
}

func everyCrash(t *testing.T, kind string, seed uint64) {
	t.Helper()
	o := durabletest.Options{Cached: true, Log: slog.New(slog.DiscardHandler)}
	test := generator.Make(kind, seed)
	err := o.CheckEveryCrash(func(env *durabletest.Env) error { return differences(env, test, nil) }, program.Functions()...)
	if err != nil {
		t.Errorf("seed %d: %v\n%s", seed, err, programs.Show(test))
	}
}

// Programs that have found faults give what they should, wherever the process
// ends.
func TestProgramsThatFoundFaults(t *testing.T) {
	for _, c := range []struct {
		kind string
		seed uint64
	}{
		// A failure whose row was written and not acknowledged counted once more after
		// a rewind.
		{"rewinds", 3}, {"rewinds", 14}, {"rewinds", 30},
		// A child that nothing waits for, of a process that dies before it starts it.
		{"races", 1},
		// A process that dies between a commit and the row loses the custom status.
		{"large", 2},
		// A wake-up that comes later than the result of what was begun after it.
		{"orphans", 7},
	} {
		t.Run(fmt.Sprint(c.kind, " ", c.seed), func(t *testing.T) {
			t.Parallel()
			everyCrash(t, c.kind, c.seed)
		})
	}
}

// What docs/differences.md says of this engine is what it does.
func TestDiffering(t *testing.T) {
	for _, d := range programs.Differing() {
		if err := check(d.Test, durabletest.Options{Cached: true}, false); err != nil {
			t.Errorf("%s: %v\n%s", d.Here, err, programs.Show(d.Test))
		}
	}
}

// alike reports whether a smaller test fails like the one it was made of: leaving
// an action away may make others fail that had been right.
func alike(a, b error) bool {
	const answers = "the client saw"
	return b != nil && strings.Contains(a.Error(), answers) == strings.Contains(b.Error(), answers)
}

// What random programs give is what the model says.
func TestPrograms(t *testing.T) { play(t, durabletest.Options{Cached: true}, false) }

// So it is when orchestrations leave memory while they wait, and each turn is
// replayed.
func TestProgramsThatAreReplayed(t *testing.T) { play(t, durabletest.Options{}, false) }

// So it is when the process ends up to four times.
func TestProgramsInCrashes(t *testing.T) { play(t, durabletest.Options{Cached: true}, true) }
