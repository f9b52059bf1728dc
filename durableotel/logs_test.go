package durableotel_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durableotel"
	"github.com/durable-go/functions/durabletest"
	"go.opentelemetry.io/contrib/bridges/otelslog"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/trace"
)

var (
	logging = durable.NewAction("Logging", func(ctx context.Context, _ durable.None) error {
		slog.InfoContext(ctx, "in an activity")
		return nil
	})
	logger = durable.NewOrchestrator("Logger", func(ctx *durable.Context, _ durable.None) (string, error) {
		ctx.Logger().Info("in an orchestrator")
		_, err := logging.Call(ctx, durable.None{}).Await()
		return "", err
	})
)

// emitted keeps the trace contexts of the records of OpenTelemetry's log bridge.
type emitted map[string]trace.SpanID

func (e emitted) OnEmit(_ context.Context, r *sdklog.Record) error {
	e[r.Body().AsString()] = r.SpanID()
	return nil
}
func (emitted) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }
func (emitted) Shutdown(context.Context) error                         { return nil }
func (emitted) ForceFlush(context.Context) error                       { return nil }

// TestLogs: what code logs carries the ids of the span that it runs in.
func TestLogs(t *testing.T) {
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	r := record()
	var out bytes.Buffer
	bridged := emitted{}
	provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(bridged))
	for name, h := range map[string]slog.Handler{
		"LogHandler": durableotel.LogHandler(slog.NewJSONHandler(&out, nil)), "otelslog": otelslog.NewHandler("test", otelslog.WithLoggerProvider(provider)),
	} {
		slog.SetDefault(slog.New(h))
		r.spans.Reset()
		durabletest.Options{App: r.app}.Run(t, func(_ *testing.T, env *durabletest.Env) {
			ended(durabletest.Start(env, logger, durable.None{}))
		}, logger, logging)
		ids := map[string]string{}
		for _, s := range r.spans.GetSpans() {
			ids[s.SpanKind.String()+" "+s.Name] = s.SpanContext.SpanID().String()
		}
		got := map[string]string{"in an orchestrator": bridged["in an orchestrator"].String(), "in an activity": bridged["in an activity"].String()}
		if name == "LogHandler" {
			for l := range strings.Lines(out.String()) {
				var record struct {
					Msg     string
					SpanID  string `json:"span_id"`
					TraceID string `json:"trace_id"`
				}
				if err := json.Unmarshal([]byte(l), &record); err != nil {
					t.Fatal(err)
				}
				if got[record.Msg] = record.SpanID; len(record.TraceID) != 32 {
					t.Errorf("%s: the trace is %q", record.Msg, record.TraceID)
				}
			}
		}
		if want := ids["server orchestration:Logger"]; want == "" || got["in an orchestrator"] != want {
			t.Errorf("%s: in an orchestrator: span %q, want %q", name, got["in an orchestrator"], want)
		}
		if want := ids["server activity:Logging"]; want == "" || got["in an activity"] != want {
			t.Errorf("%s: in an activity: span %q, want %q", name, got["in an activity"], want)
		}
	}
}
