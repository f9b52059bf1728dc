// Package durableotel makes OpenTelemetry's traces and metrics of what an app of
// package durable does. It is a module of its own: an app that does not import it
// links nothing of OpenTelemetry.
//
//	provider := sdktrace.NewTracerProvider(
//		sdktrace.WithIDGenerator(durableotel.IDGenerator()),
//		sdktrace.WithBatcher(exporter),
//	)
//	otel.SetTracerProvider(provider)
//
//	app := durable.NewApp()
//	app.Observe(durableotel.New())
//
// Spans have the names, kinds and attributes of the official Durable Functions
// extension. The guide is docs/telemetry.md of the repository.
package durableotel
