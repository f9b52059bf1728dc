package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/durableotel"
	"github.com/durable-go/functions/internal/pagecode"
	"go.opentelemetry.io/contrib/bridges/otelslog"
	logs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	metrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	traces "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	metric "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"
)

// receiver is a collector that keeps what it got.
type receiver struct {
	mu       sync.Mutex // guards the rest
	requests map[string]*http.Request
	bodies   map[string][]byte
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	raw, err := io.ReadAll(req.Body)
	if err == nil && req.Header.Get("Content-Encoding") == "gzip" {
		var plain *gzip.Reader
		if plain, err = gzip.NewReader(bytes.NewReader(raw)); err == nil {
			raw, err = io.ReadAll(plain)
		}
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests[req.URL.Path], r.bodies[req.URL.Path] = req, raw
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// identity makes tokens that say for what they are.
type identity struct{}

func (identity) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "for " + strings.Join(o.Scopes, " "), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// TestReceivers: what is sent, to a collector and as Azure Monitor takes it.
func TestReceivers(t *testing.T) {
	for _, azure := range []bool{false, true} {
		got := &receiver{requests: map[string]*http.Request{}, bodies: map[string][]byte{}}
		server := httptest.NewServer(got)
		t.Cleanup(server.Close)
		paths := []string{"/v1/traces", "/v1/metrics", "/v1/logs"}
		var sent *telemetry
		var err error
		if azure {
			rule := "/datacollectionRules/dcr-1"
			paths = []string{rule + "/streams/Microsoft-OTLP-Traces/otlp/v1/traces", rule + "/streams/microsoft-otelmetrics/otlp/v1/metrics", rule + "/streams/Microsoft-OTLP-Logs/otlp/v1/logs"}
			sent, err = azureMonitor(t.Context(), server.URL+rule, identity{})
		} else {
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
			sent, err = newTelemetry(t.Context(), func(string) string { return "" })
		}
		if err != nil {
			t.Fatal(err)
		}
		work(t, sent)
		for _, path := range paths {
			r := got.requests[path]
			if r == nil {
				t.Fatalf("nothing came to %s", path)
			}
			want := ""
			if azure {
				want = "Bearer for https://monitor.azure.com/.default"
			}
			if have := r.Header.Get("Authorization"); have != want || r.Header.Get("Content-Type") != "application/x-protobuf" {
				t.Errorf("%s: headers %v", path, r.Header)
			}
		}
		checkTraces(t, got.bodies[paths[0]])
		checkMetrics(t, got.bodies[paths[1]], azure)
		checkLogs(t, got.bodies[paths[2]])
	}
}

// work makes one span, a few points and a record, and flushes them.
func work(t *testing.T, sent *telemetry) {
	t.Helper()
	o := durableotel.New(durableotel.WithTracerProvider(sent.traces), durableotel.WithMeterProvider(sent.metrics))
	s := &observe.Span{Kind: observe.Orchestration, Role: observe.Sends, Name: "Orchestrator", InstanceID: "id", TaskID: observe.NoTask}
	ctx, end := o.Begin(t.Context(), s)
	slog.New(otelslog.NewHandler("app", otelslog.WithLoggerProvider(sent.logs))).InfoContext(ctx, "started")
	end()
	o.Request("table", "POST transaction", 202, time.Millisecond)
	if err := o.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := sent.logs.ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func decode(t *testing.T, raw []byte, to proto.Message) {
	t.Helper()
	if err := proto.Unmarshal(raw, to); err != nil {
		t.Fatal(err)
	}
}

func checkTraces(t *testing.T, raw []byte) {
	t.Helper()
	var body traces.ExportTraceServiceRequest
	decode(t, raw, &body)
	if s := body.ResourceSpans[0].ScopeSpans[0].Spans[0]; s.Name != "create_orchestration:Orchestrator" {
		t.Errorf("the span is %v", s)
	}
}

func checkMetrics(t *testing.T, raw []byte, azure bool) {
	t.Helper()
	var body metrics.ExportMetricsServiceRequest
	decode(t, raw, &body)
	all := body.ResourceMetrics[0].ScopeMetrics[0].Metrics
	i := slices.IndexFunc(all, func(m *metric.Metric) bool { return m.Name == "durable.storage.request.duration" })
	if i < 0 {
		t.Fatalf("the metrics are %v", all)
	}
	h := all[i].GetExponentialHistogram()
	if exponential := h != nil; exponential != azure || azure && h.AggregationTemporality != metric.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA {
		t.Errorf("for Azure %v: %v", azure, all[i])
	}
}

func checkLogs(t *testing.T, raw []byte) {
	t.Helper()
	var body logs.ExportLogsServiceRequest
	decode(t, raw, &body)
	if r := body.ResourceLogs[0].ScopeLogs[0].LogRecords[0]; r.Body.GetStringValue() != "started" || len(r.SpanId) != 8 {
		t.Errorf("the record is %v", r)
	}
}

// The code of the page about telemetry compiles.
func TestCodeOfThePage(t *testing.T) {
	packages, err := pagecode.Load(".", []string{
		"github.com/durable-go/functions/durable", "github.com/durable-go/functions/durableotel",
	}, "go.opentelemetry.io/otel/sdk/trace", "go.opentelemetry.io/otel/metric")
	if err != nil {
		t.Fatal(err)
	}
	const page = "../../docs/telemetry.md"
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	blocks := pagecode.Blocks(page, string(raw))
	if err := packages.Check(blocks); err != nil || len(blocks) < 2 {
		t.Errorf("%d blocks: %v", len(blocks), err)
	}
}
