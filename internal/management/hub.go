package management

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

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
	Now      time.Time      `json:"now"`
}

// processFacts are of the process that answers, one of maybe many.
type processFacts struct {
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
		Process: thisProcess(), Settings: c.Site.Settings, Now: c.Client.Now(),
	}
	if !c.query.boolean("brief", false) {
		facts.Latency = append(facts.Latency, c.readTable(r.Context()))
		if c.Site.Gauge != nil {
			begun := time.Now()
			facts.Queues = c.readQueues(r.Context())
			facts.Latency = append(facts.Latency, latencyFacts{Request: "all queues", Milliseconds: since(begun)})
		}
	}
	c.writeView(w, r, facts)
}

func thisProcess() processFacts {
	host, _ := os.Hostname()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return processFacts{
		Host: host, ID: os.Getpid(), Module: moduleVersion(), Go: runtime.Version(), Started: started.UTC(),
		Goroutines: runtime.NumGoroutine(), HeapBytes: memory.HeapAlloc,
	}
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
