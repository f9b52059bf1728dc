package durable

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/hubcheck"
	"github.com/durable-go/functions/internal/management"
	"github.com/durable-go/functions/internal/reconcile"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/worker"
)

func parseDashboardActions(s *settings, raw json.RawMessage) error {
	s.DashboardActions = new(bool)
	return parseBool(raw, s.DashboardActions)
}

// traceID is the place of the trace's id in the setting dashboardTraceUrl.
const traceID = "{traceId}"

func parseTraceURL(s *settings, raw json.RawMessage) error {
	if err := parseInto(raw, &s.TraceURL); err != nil {
		return err
	}
	u, err := url.Parse(strings.ReplaceAll(s.TraceURL, traceID, "0"))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || !strings.Contains(s.TraceURL, traceID) {
		return fmt.Errorf("%s is not a URL with %s in it, such as https://jaeger.example.com/trace/%s", raw, traceID, traceID)
	}
	return nil
}

// site is what the app tells of itself to those who may manage it.
func (s *service) site() management.Site {
	site := management.Site{
		Actions: !inAzure(), TraceURL: s.settings.TraceURL, Gauge: s.gauge,
		Queues: s.queues.all(), Settings: s.settings.inForce(), Orchestrators: s.app.registry.startable(), Storage: "memory of this process",
	}
	if a := s.settings.DashboardActions; a != nil {
		site.Actions = *a
	}
	site.About, site.Name = s.about(), s.process
	site.Processes = func(ctx context.Context) ([]reconcile.Process, error) { return reconcile.ReadProcesses(ctx, s.store) }
	if s.account != nil {
		site.Storage, site.Traffic = s.account.Address(), &s.traffic
	}
	if hub := s.stored; hub != nil {
		site.Checkup = func(ctx context.Context) (any, error) {
			report, err := hubcheck.Run(ctx, s.settings.HubName, hub, hubcheck.Options{})
			if err != nil {
				return nil, err
			}
			return report.First(maxFindings), nil
		}
	}
	return site
}

// maxFindings is how many findings the page shows.
const maxFindings = 500

// requested counts the requests to storage for the page, and tells the observer of them.
func (s *service) requested() storage.Requested {
	next := s.app.registry.requested()
	return func(service storage.Service, operation string, status int, took time.Duration) {
		s.traffic.Count(time.Now())
		if next != nil {
			next(service, operation, status, took)
		}
	}
}

// inAzure reports whether this process runs in a Function App in Azure.
func inAzure() bool { return os.Getenv("WEBSITE_INSTANCE_ID") != "" }

// all are the queues of the hub, each once.
func (q *queues) all() []string {
	out := append([]string{q.control, q.work}, slices.Sorted(maps.Values(q.ofOrchestrator))...)
	return append(out, slices.Sorted(maps.Values(q.ofActivity))...)
}

// startable are the orchestrators of the app, with the schemas of their inputs
// where these are JSON.
func (r *registry) startable() []management.Orchestrator {
	out := []management.Orchestrator{}
	for _, key := range slices.Sorted(maps.Keys(r.orchestrators)) {
		entry := r.orchestrators[key]
		o := management.Orchestrator{Name: entry.name}
		if r.serializer == nil {
			o.Input = schemaOf(entry.in)
		}
		out = append(out, o)
	}
	return out
}

// inForce are the settings with the values that count, for the hub's page.
func (s *settings) inForce() []management.Setting {
	number := func(n int, otherwise string) string {
		if n == 0 {
			return otherwise
		}
		return strconv.Itoa(n)
	}
	word := func(b bool, yes, no string) string {
		if b {
			return yes
		}
		return no
	}
	list := []management.Setting{
		{Name: "hubName", Value: s.HubName},
		{Name: "dispatch", Value: word(s.DispatchQueue, "queue", "local")},
		{Name: "maxConcurrentOrchestratorFunctions", Value: number(s.OrchestratorSlots, "10 a core")},
		{Name: "maxConcurrentActivityFunctions", Value: number(s.ActivitySlots, strconv.Itoa(worker.DefaultActivitySlots))},
		{Name: "cachedInstances", Value: number(s.Cache, "1000")},
		{Name: "controlQueueVisibilityTimeout", Value: s.Lease.String()},
		{Name: "maxPayload", Value: strconv.Itoa(s.MaxPayload)},
		{Name: "maxWaitingEvents", Value: strconv.Itoa(s.MaxWaiting)},
		{Name: "maxOrchestrationActions", Value: strconv.Itoa(s.MaxActions)},
		{Name: "maxDequeueCount", Value: strconv.Itoa(s.MaxPoisonDeliveries)},
		{Name: "nonDeterminism", Value: word(s.FailNonDeterminism, "fail", "park")},
		{Name: "strictReplay", Value: strconv.FormatBool(s.StrictReplay)},
		{Name: "storeInputsInOrchestrationHistory", Value: strconv.FormatBool(s.StoreInputs)},
		{Name: "defaultVersion", Value: s.Versions.current},
	}
	if s.LinkLifetime > 0 {
		list = append(list, management.Setting{Name: "linkLifetime", Value: s.LinkLifetime.Round(time.Second).String()})
	}
	return list
}
