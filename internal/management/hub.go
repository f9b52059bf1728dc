package management

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/reconcile"
	"github.com/durable-go/functions/internal/taskhub"
)

// Site is what an app tells of itself and its hub. All of it is optional.
type Site struct {
	// Actions means that the dashboard may do more than look.
	Actions bool
	// Doors are the paths at which one server serves the two doors.
	Doors Doors
	// Storage says where the hub is, without secrets.
	Storage string
	// Queues are the queues of the hub, which Gauge looks at.
	Queues []string
	Gauge  taskhub.Gauge
	// Settings are those in force.
	Settings []Setting
	// Orchestrators are those that can be started; nil: not known.
	Orchestrators []Orchestrator
	// Traffic counts the requests of the process to storage; nil: it is not known.
	Traffic *Traffic
	// About is what the answering process tells of itself, Name what others know it by.
	About reconcile.About
	Name  string
	// Processes reads which processes have worked on the hub lately; nil: it is not known.
	Processes func(ctx context.Context) ([]reconcile.Process, error)
	// Checkup reads the whole hub and returns what "durable hub check -o json" prints; nil:
	// the hub cannot be checked.
	Checkup func(ctx context.Context) (any, error)
	// TraceURL is where a trace can be looked at, with {traceId} in it.
	TraceURL string
}

// Doors are two paths without a slash at the end; empty where there are not
// both.
type Doors struct{ Operators, Links string }

// Setting is a setting with its value.
type Setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Orchestrator is one that can be started.
type Orchestrator struct {
	Name string `json:"name"`
	// Input is the JSON schema of its input, nil where that is not known.
	Input json.RawMessage `json:"input,omitempty"`
}

// hubFacts is the answer of GET hub.
type hubFacts struct {
	Hub      string         `json:"hub"`
	Storage  string         `json:"storage,omitempty"`
	Actions  bool           `json:"actions"`
	TraceURL string         `json:"traceUrl,omitempty"`
	Process  processFacts   `json:"process"`
	Queues   []queueFacts   `json:"queues,omitempty"`
	Latency  []latencyFacts `json:"latency,omitempty"`
	Settings []Setting      `json:"settings,omitempty"`
	// Requests are those of the process to storage in the last full minutes, the oldest first.
	Requests []int `json:"requestsPerMinute,omitempty"`
	// Processes have worked on the hub lately.
	Processes      []reconcile.Process `json:"processes,omitempty"`
	ProcessesError string              `json:"processesError,omitempty"`
	// Checkup reports whether the hub can be checked.
	Checkup bool `json:"canCheck,omitempty"`
	// Cost is how many requests to storage the answer took.
	Cost int       `json:"requests"`
	Now  time.Time `json:"now"`
}

// processFacts are of the process that answers, one of maybe many.
type processFacts struct {
	Name string `json:"name,omitempty"`
	// About is absent where the process works on no orchestrations.
	About *reconcile.About `json:"about,omitempty"`

	Host       string    `json:"host"`
	ID         int       `json:"id"`
	Module     string    `json:"module"`
	Go         string    `json:"go"`
	Started    time.Time `json:"started"`
	Goroutines int       `json:"goroutines"`
	HeapBytes  uint64    `json:"heapBytes"`
}

type queueFacts struct {
	Name     string     `json:"name"`
	Messages int        `json:"messages"`
	Oldest   *time.Time `json:"oldest,omitempty"`
	Missing  bool       `json:"missing,omitempty"`
	Poison   bool       `json:"poison,omitempty"`
	Error    string     `json:"error,omitempty"`
}

type latencyFacts struct {
	Request      string  `json:"request"`
	Milliseconds float64 `json:"milliseconds"`
	Error        string  `json:"error,omitempty"`
}

var started = time.Now()

// hub answers GET hub. With brief=true it sends no request to storage.
func (c *call) hub(w http.ResponseWriter, r *http.Request) {
	facts := hubFacts{
		Hub: c.Links.Keys.hub, Storage: c.Site.Storage, Actions: c.Site.Actions, TraceURL: c.Site.TraceURL,
		Process: c.thisProcess(), Settings: c.Site.Settings, Now: c.Client.Now(), Checkup: c.Site.Checkup != nil,
	}
	if c.Site.Traffic != nil {
		facts.Requests = c.Site.Traffic.Minutes(time.Now())
	}
	if !c.query.boolean("brief", false) {
		c.measure(r.Context(), &facts)
	}
	c.writeView(w, r, facts)
}

// measure looks at what storage has.
func (c *call) measure(ctx context.Context, facts *hubFacts) {
	facts.Latency, facts.Cost = append(facts.Latency, c.readTable(ctx)), 1
	if c.Site.Gauge != nil {
		begun := time.Now()
		facts.Queues = c.readQueues(ctx)
		facts.Latency = append(facts.Latency, latencyFacts{Request: "all queues", Milliseconds: since(begun)})
		facts.Cost += 4 * len(c.Site.Queues) // two each, and for the poison queue
	}
	if c.Site.Processes == nil {
		return
	}
	begun := time.Now()
	var err error
	if facts.Processes, err = c.Site.Processes(ctx); err != nil {
		facts.ProcessesError = c.trouble("reading the processes of the hub", err)
	}
	facts.Latency = append(facts.Latency, latencyFacts{Request: "notes of the processes", Milliseconds: since(begun), Error: facts.ProcessesError})
	facts.Cost += 1 + len(facts.Processes)
}

// checkBudget is how long a check of the hub may take.
const checkBudget = time.Minute

// checkHub answers GET hub/check. One check runs at a time.
func (c *call) checkHub(w http.ResponseWriter, r *http.Request) {
	switch {
	case c.Site.Checkup == nil:
		w.WriteHeader(http.StatusNotFound)
		return
	case !c.checking.CompareAndSwap(false, true):
		WriteError(w, http.StatusConflict, "the hub is being checked: try again when that is done")
		return
	}
	defer c.checking.Store(false)
	ctx, cancel := context.WithTimeout(r.Context(), checkBudget)
	defer cancel()
	report, err := c.Site.Checkup(ctx)
	switch {
	case err != nil && ctx.Err() != nil && r.Context().Err() == nil:
		WriteError(w, http.StatusGatewayTimeout, fmt.Sprintf("the check took longer than %v: run \"durable hub check\", which has more time", checkBudget))
	case err != nil:
		c.fail(w, r, err)
	default:
		c.writeView(w, r, report)
	}
}

func (c *call) thisProcess() processFacts {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	about := ThisProcess()
	facts := processFacts{
		Name: c.Site.Name, Host: about.Host, ID: about.ID, Module: about.Module, Go: runtime.Version(), Started: about.Started,
		Goroutines: runtime.NumGoroutine(), HeapBytes: memory.HeapAlloc,
	}
	if c.Site.Name != "" {
		facts.About = &c.Site.About
	}
	return facts
}

// ThisProcess is what can be told of every process.
func ThisProcess() reconcile.About {
	host, _ := os.Hostname()
	return reconcile.About{Host: host, ID: os.Getpid(), App: appVersion(), Module: moduleVersion(), Started: started.UTC()}
}

// appVersion is the version of the program, or the revision that it was built from.
func appVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(len(s.Value), 12)]
		}
	}
	if info.Main.Version == "(devel)" {
		return ""
	}
	return info.Main.Version
}

// moduleVersion is the version of this module in the app's binary.
func moduleVersion() string {
	const path = "github.com/durable-go/functions"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m.Path == path && m.Version != "" {
			return m.Version
		}
	}
	return "(devel)"
}

func since(begun time.Time) float64 {
	return float64(time.Since(begun).Microseconds()) / 1000
}

// readTable measures a read of one row.
func (c *call) readTable(ctx context.Context) latencyFacts {
	begun := time.Now()
	_, err := c.Client.List(ctx, taskhub.Query{Max: 1, WithoutPayloads: true})
	out := latencyFacts{Request: "instances table", Milliseconds: since(begun)}
	if err != nil {
		out.Error = c.trouble("reading the instances table", err)
	}
	return out
}

// trouble logs an error, and returns what the caller may know of it.
func (c *call) trouble(doing string, err error) string {
	c.Log.Error(doing+" for the dashboard failed", "error", err)
	return "storage did not answer as it should; the app's log says more"
}

// readQueues looks at all queues, and their poison queues, at the same time.
func (c *call) readQueues(ctx context.Context) []queueFacts {
	names := slices.Clone(c.Site.Queues)
	for _, name := range c.Site.Queues {
		names = append(names, name+"-poison")
	}
	out := make([]queueFacts, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() {
			facts, err := c.Site.Gauge.Queue(ctx, name)
			out[i] = queueFacts{Name: name, Messages: facts.Messages, Oldest: Moment(facts.Oldest), Missing: facts.Missing, Poison: strings.HasSuffix(name, "-poison")}
			if err != nil {
				out[i].Error = c.trouble("looking at queue "+name, err)
			}
		})
	}
	wg.Wait()
	return slices.DeleteFunc(out, func(q queueFacts) bool { return q.Poison && q.Missing })
}

// orchestrators answers GET orchestrators: those that can be started.
func (c *call) orchestrators(w http.ResponseWriter, r *http.Request) {
	list := c.Site.Orchestrators
	if list == nil {
		list = []Orchestrator{}
	}
	c.writeView(w, r, struct {
		Orchestrators []Orchestrator `json:"orchestrators"`
		Known         bool           `json:"known"`
	}{list, c.Site.Orchestrators != nil})
}
