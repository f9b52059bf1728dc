package simulation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/opening"
	"github.com/durable-go/functions/internal/programs"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/samples/conformance/program"
)

// Run is what a seed decides, and what may be left out of it.
type Run struct {
	Seed uint64
	// Test is what is played.
	Test programs.Test
	// Processes is how many work on the hub, from 1.
	Processes int
	// Incidents is the most deaths and pauses.
	Incidents int
	// Calm leaves classes of faults out.
	Calm Faults
	// Strict means that the hub is one of a storage account which answers as the real
	// service does; else it is in memory.
	Strict bool
}

// Faults is a set of classes of faults.
type Faults uint

// The classes of faults that can be left out.
const (
	Losses      Faults = 1 << iota // answers, and requests, that are lost
	Delays                         // answers that come late, by up to most of a lease
	Disorder                       // messages late, twice and in another order
	Outages                        // services that are away
	Skew                           // clocks that differ
	Hosts                          // processes that a Functions host feeds
	Inside                         // starts by the processes that work, which may die at it
	Deployments                    // processes of an old build beside those of the new one
	Crashes                        // activities that end their process once or twice
	AllFaults   = Losses | Delays | Disorder | Outages | Skew | Hosts | Inside | Deployments | Crashes
)

// Make is the run of a seed: which kind of program, how many processes and faults.
func Make(seed uint64) Run {
	kinds := programs.Kinds()
	n := uint64(len(kinds))
	return MakeOf(seed, kinds[seed%n], seed/n)
}

// MakeOf is the run of a program with the processes and faults of a seed, whichever kinds
// of programs there are.
func MakeOf(seed uint64, kind string, program uint64) Run {
	dice := rand.New(rand.NewPCG(seed, 0))
	r := Run{Seed: seed, Test: generator.Make(kind, program)}
	r.Processes, r.Incidents = 1+dice.IntN(3), dice.IntN(8)
	for class := Losses; class < AllFaults; class <<= 1 {
		if dice.IntN(2) == 0 {
			r.Calm |= class
		}
	}
	r.Strict = one(dice, oneStrict)
	return r
}

// generator makes programs in which what is late is later than any recovery.
var generator = programs.Generator{Late: 12 * time.Hour, Apart: true}

// world is the hub with all who use it.
type world struct {
	run   Run
	hub   hub
	app   *opening.App
	watch *watch
	tries programs.Tries
	trace trace
	away  []outage
	// lives are the goroutines that replace processes.
	lives  sync.WaitGroup
	client *process
	api    http.Handler
	// inside are the clients within the processes, by number.
	inside    []*durable.Client
	failTimes activity.Func

	mu sync.Mutex // guards the rest
	// processes are those that run now, by number.
	processes []*process
	over      bool
	calls     map[string]int
	incidents int
	began     time.Time
}

// outage is when a service cannot be reached.
type outage struct {
	service  string
	from, to time.Duration
}

// open makes the world of a run. It must be called within a bubble.
func open(t *testing.T, r Run) (*world, error) {
	t.Helper()
	w := &world{run: r, calls: map[string]int{}, began: time.Now()}
	var functions []any
	for _, f := range program.Functions() {
		functions = append(functions, f)
	}
	var err error
	if w.app, err = opening.Open(opening.Request{Functions: functions}); err != nil {
		return nil, err
	}
	if w.hub, err = newHub(t, r, w.app.Hub); err != nil {
		return nil, err
	}
	w.watch = newWatch(w.hub, &w.trace)
	if r.Test.Kind == "bank" {
		w.watch.bank = newLedger()
	}
	w.client = &process{world: w, number: -1, dead: make(chan struct{})}
	clients := client.Options{Now: func() time.Time { return time.Now().UTC() }}
	c := w.app.Connect(w.client.link(), clients).(*durable.Client)
	w.api = c.ManagementAPI("/api")
	if w.failTimes, err = w.app.Activity(durable.NewActivity("FailTimes", w.tries.Run)); err != nil {
		return nil, err
	}
	dice := w.dice("world")
	if r.Calm&Outages == 0 {
		for range dice.IntN(3) {
			from := time.Duration(dice.Int64N(int64(2 * time.Minute)))
			w.away = append(w.away, outage{[]string{"queue", "table"}[dice.IntN(2)], from, from + time.Duration(dice.Int64N(int64(3*time.Minute)))})
		}
	}
	for n := range r.Processes {
		w.processes = append(w.processes, w.begin(n, 0))
		w.inside = append(w.inside, w.connect(n))
	}
	return w, nil
}

// dice are random numbers that follow from the seed and the name alone.
func (w *world) dice(name string) *rand.Rand {
	return rand.New(rand.NewPCG(w.run.Seed, hash(name)))
}

// next counts the calls of a name, so that each has dice of its own.
func (w *world) next(name string) *rand.Rand {
	w.mu.Lock()
	w.calls[name]++
	n := w.calls[name]
	w.mu.Unlock()
	return w.dice(fmt.Sprint(name, " ", n))
}

// incident reports whether one more may happen, and counts it.
func (w *world) incident() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.incidents >= w.run.Incidents {
		return false
	}
	w.incidents++
	return true
}

// isAway reports whether a service cannot be reached now.
func (w *world) isAway(service string) bool {
	now := time.Since(w.began)
	for _, o := range w.away {
		if o.service == service && o.from <= now && now < o.to {
			return true
		}
	}
	return false
}

// RoundTrip is how the player asks the management API.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.Path, "/rewind") {
		w.tries.Rewound()
	}
	answer := httptest.NewRecorder()
	if r.Method == http.MethodPost && strings.Contains(r.URL.Path, "/orchestrators/") && w.run.Calm&Inside == 0 {
		answer = w.startInside(r)
	} else {
		w.api.ServeHTTP(answer, r)
	}
	if r.Method != http.MethodGet {
		w.trace.add("client: %s %s: %d", r.Method, r.URL.Path, answer.Code)
	}
	return answer.Result(), nil
}

// play plays the test and returns what is wrong.
func (w *world) play() error {
	p := &programs.Player{
		API: "http://hub.example/api/", Client: &http.Client{Transport: w}, Run: "r", Limit: 6 * time.Hour, Poll: 2 * time.Second,
		Start: w.start,
	}
	err := p.Check(context.Background(), w.run.Test)
	w.hub.calm()
	<-time.After(100 * time.Hour) // what is on its way comes, and leases end
	return errors.Join(append([]error{err}, w.watch.end(w.names())...)...)
}

// start starts a program by the client.
func (w *world) start(ctx context.Context, id string, in program.Input, policy durable.ReusePolicy) (string, error) {
	code, err := programs.StartBy(w.durable())(ctx, id, in, policy)
	w.trace.add("client: start %s: %s %v", id, code, err)
	return code, err
}

func (w *world) durable() *durable.Client {
	return w.app.Connect(w.client.link(), client.Options{Now: func() time.Time { return time.Now().UTC() }}).(*durable.Client)
}

func (w *world) names() []string {
	return []string{taskhub.ControlQueue(w.app.Hub), taskhub.WorkItemQueue(w.app.Hub)}
}

// replace begins another process in the place of one that has died.
func (w *world) replace(p *process, after time.Duration) {
	p.bury()
	<-time.After(after)
	w.mu.Lock()
	over := w.over
	w.mu.Unlock()
	if over {
		return
	}
	next := w.begin(p.number, p.life+1)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.processes[p.number] = next
}

// close ends all processes.
func (w *world) close() {
	w.mu.Lock()
	w.over = true
	w.mu.Unlock()
	w.lives.Wait()
	for _, p := range w.processes {
		if p.end() {
			p.bury()
		}
	}
	<-time.After(2 * time.Hour)
	w.app.Release()
}

// activity is what an activity does in a process.
func (p *process) activity(name string) (activity.Func, error) {
	w := p.world
	run, err := w.app.Worker.Activities(name)
	if strings.EqualFold(name, "FailTimes") {
		run, err = w.failTimes, nil
	}
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, call *activity.Call) (history.Payload, *history.FailureDetails) {
		w.watch.begins(call)
		// Those that are begun together end one after the other.
		<-time.After(latency(w.next(fmt.Sprint("run ", call.InstanceID, call.TaskID))))
		if w.crashes(call) {
			p.die("by the code of "+call.Name, time.Second)
			<-ctx.Done()
			return nil, &history.FailureDetails{ErrorMessage: "the process has ended"}
		}
		return run(ctx, call)
	}, nil
}

// crashes reports whether a run of an activity ends the process: of some activities the
// first run does, or the first two.
func (w *world) crashes(call *activity.Call) bool {
	if w.run.Calm&Crashes != 0 {
		return false
	}
	name := fmt.Sprint("crash ", call.ExecutionID, call.TaskID)
	dice := w.dice(name)
	most := 1 + dice.IntN(2)
	if !one(dice, oneCrash) {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[name]++
	return w.calls[name] <= most
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))
