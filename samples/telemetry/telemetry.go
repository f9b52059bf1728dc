package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/durable-go/functions/durableotel"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// telemetry is where spans, metrics and log records go.
type telemetry struct {
	traces  *sdktrace.TracerProvider
	metrics *sdkmetric.MeterProvider
	logs    *sdklog.LoggerProvider
}

// newTelemetry reads the settings. AZURE_MONITOR_OTLP names a data collection rule of
// Azure Monitor, such as https://NAME.REGION.ingest.monitor.azure.com/datacollectionRules/dcr-ID:
// the app's identity sends there. Otherwise the variables of OpenTelemetry say where a
// collector is: OTEL_EXPORTER_OTLP_ENDPOINT, which local.settings.json sets.
func newTelemetry(ctx context.Context, env func(string) string) (*telemetry, error) {
	rule := env("AZURE_MONITOR_OTLP")
	if rule == "" {
		return collector(ctx, nil, nil, nil)
	}
	credential, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return nil, fmt.Errorf("an identity for Azure Monitor: %w", err)
	}
	return azureMonitor(ctx, rule, credential)
}

// azureMonitor sends to the streams of a data collection rule. The identity needs the
// role Monitoring Metrics Publisher on it.
func azureMonitor(ctx context.Context, rule string, credential azcore.TokenCredential) (*telemetry, error) {
	client := &http.Client{Transport: bearer{credential, http.DefaultTransport}}
	stream := func(name, signal string) string {
		return strings.TrimSuffix(rule, "/") + "/streams/" + name + "/otlp/v1/" + signal
	}
	return collector(ctx,
		[]otlptracehttp.Option{otlptracehttp.WithEndpointURL(stream("Microsoft-OTLP-Traces", "traces")), otlptracehttp.WithHTTPClient(client)},
		[]otlpmetrichttp.Option{
			otlpmetrichttp.WithEndpointURL(stream("microsoft-otelmetrics", "metrics")), otlpmetrichttp.WithHTTPClient(client),
			otlpmetrichttp.WithTemporalitySelector(delta), otlpmetrichttp.WithAggregationSelector(exponential),
		},
		[]otlploghttp.Option{otlploghttp.WithEndpointURL(stream("Microsoft-OTLP-Logs", "logs")), otlploghttp.WithHTTPClient(client)})
}

func collector(ctx context.Context, traces []otlptracehttp.Option, metrics []otlpmetrichttp.Option, logs []otlploghttp.Option) (*telemetry, error) {
	spans, err1 := otlptracehttp.New(ctx, traces...)
	points, err2 := otlpmetrichttp.New(ctx, metrics...)
	records, err3 := otlploghttp.New(ctx, logs...)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, fmt.Errorf("exporters: %w", err)
	}
	return &telemetry{
		traces:  sdktrace.NewTracerProvider(sdktrace.WithIDGenerator(durableotel.IDGenerator()), sdktrace.WithBatcher(spans)),
		metrics: sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(points))),
		logs:    sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(records))),
	}, nil
}

// delta is the temporality that Azure Monitor takes.
func delta(sdkmetric.InstrumentKind) metricdata.Temporality { return metricdata.DeltaTemporality }

// exponential makes the histograms that Azure Monitor takes.
func exponential(kind sdkmetric.InstrumentKind) sdkmetric.Aggregation {
	if kind == sdkmetric.InstrumentKindHistogram {
		return sdkmetric.AggregationBase2ExponentialHistogram{MaxSize: 160, MaxScale: 20}
	}
	return sdkmetric.DefaultAggregationSelector(kind)
}

// bearer puts the identity's token into requests.
type bearer struct {
	credential azcore.TokenCredential
	next       http.RoundTripper
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	token, err := b.credential.GetToken(r.Context(), policy.TokenRequestOptions{Scopes: []string{"https://monitor.azure.com/.default"}})
	if err != nil {
		return nil, fmt.Errorf("a token for Azure Monitor: %w", err)
	}
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+token.Token)
	return b.next.RoundTrip(r)
}
