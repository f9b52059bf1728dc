package durableotel_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durableotel"
	"github.com/durable-go/functions/durabletest"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// TestWithoutCaller: an orchestration that comes without a trace begins one.
func TestWithoutCaller(t *testing.T) {
	r := record()
	durabletest.Options{App: r.app}.Run(t, func(t *testing.T, env *durabletest.Env) {
		ended(durabletest.Start(env, chain, durable.None{}))
	}, functions...)
	traces := map[string]bool{}
	for _, s := range r.spans.GetSpans() {
		traces[s.SpanContext.TraceID().String()] = true
	}
	if n := len(r.spans.GetSpans()); n != 8 || len(traces) != 1 {
		t.Errorf("%d spans in %d traces", n, len(traces))
	}
}

// TestHTTP: the span of a request is the parent of what the function starts. A parent
// that is not sampled is one that the Functions host has invented.
func TestHTTP(t *testing.T) {
	for _, flags := range []string{"01", "00"} {
		t.Run(flags, func(t *testing.T) {
			r := record()
			r.app.Register(chain, hello)
			r.app.HandleHTTP("HttpStart", durable.HTTPStart(r.app.Client(), chain))
			durabletest.Options{App: r.app}.Run(t, func(t *testing.T, env *durabletest.Env) {
				req := httptest.NewRequest(http.MethodPost, "/api/orchestrators/Orchestrator", nil)
				req.Header.Set("traceparent", "00-01020300000000000000000000000000-0405060000000000-"+flags)
				w := httptest.NewRecorder()
				env.HTTP("HttpStart").ServeHTTP(w, req)
				if w.Code != http.StatusAccepted {
					t.Fatalf("%d: %s", w.Code, w.Body)
				}
				pause(10 * time.Second)
			})
			spans := spansOf(r.spans.GetSpans())
			got := tree(spans, func(s span) string { return s.kind + " " + s.name })
			if !strings.HasPrefix(got, "Server POST HttpStart\n  Producer create_orchestration:Orchestrator\n    Server orchestration:Orchestrator\n") || len(spans) != 9 {
				t.Errorf("%d spans:\n%s", len(spans), got)
			}
			if same := spans[0].trace == "01020300000000000000000000000000"; same != (flags == "01") {
				t.Errorf("flags %s: the trace is %s", flags, spans[0].trace)
			}
		})
	}
}

// TestTrigger: the run of a trigger function is a span, above what the function starts.
func TestTrigger(t *testing.T) {
	r := record()
	r.app.Register(chain, hello)
	durable.HandleTrigger(r.app, "OnOrder", func(ctx context.Context, order string, _ durable.Trigger) error {
		if order == "bad" {
			return errors.New("no such customer")
		}
		_, err := chain.Start(ctx, r.app.Client(), durable.None{})
		return err
	})
	durabletest.Options{App: r.app}.Run(t, func(t *testing.T, env *durabletest.Env) {
		if err := env.Trigger("OnOrder", "good"); err != nil {
			t.Fatal(err)
		}
		pause(10 * time.Second)
		if err := env.Trigger("OnOrder", "bad"); err == nil {
			t.Error("a bad order has no error")
		}
	})
	got := tree(spansOf(r.spans.GetSpans()), func(s span) string { return s.kind + " " + s.name + " " + s.status })
	if !strings.HasPrefix(got, "Server OnOrder Unset\n  Producer create_orchestration:Orchestrator Unset\n    Server orchestration:Orchestrator Ok\n") || !strings.HasSuffix(got, "Server OnOrder Error\n") {
		t.Errorf("spans:\n%s", got)
	}
}

// TestUnsampled: where the caller is not traced nothing is written, and the context goes
// along all the same.
func TestUnsampled(t *testing.T) {
	r := record()
	durabletest.Options{App: r.app}.Run(t, func(t *testing.T, env *durabletest.Env) {
		ctx := trace.ContextWithRemoteSpanContext(t.Context(), callerContext.WithTraceFlags(0))
		ended(begin(ctx, t, env, chain, durable.None{}))
	}, functions...)
	if spans := r.spans.GetSpans(); len(spans) != 0 {
		t.Errorf("there are %d spans", len(spans))
	}
}

// TestForeignIDs: a provider that makes its own ids is told of in the log, once.
func TestForeignIDs(t *testing.T) {
	var out bytes.Buffer
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	app := durable.NewApp()
	exporter := tracetest.NewInMemoryExporter()
	app.Observe(durableotel.New(durableotel.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter)))))
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
	durabletest.Options{App: app}.Run(t, func(t *testing.T, env *durabletest.Env) {
		ended(begin(caller(t), t, env, chain, durable.None{}))
	}, functions...)
	if n := strings.Count(out.String(), "durableotel.IDGenerator"); n != 1 {
		t.Errorf("%d warnings:\n%s", n, out.String())
	}
	for _, s := range exporter.GetSpans() {
		if s.SpanContext.TraceID() != callerContext.TraceID() {
			t.Errorf("%s is in another trace", s.Name)
		}
	}
}
