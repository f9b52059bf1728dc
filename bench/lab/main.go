//go:build linux

// Lab measures the lab's app as its callers see it: through the real Functions
// host and Azurite. It prints a table and, as the last line, the same as JSON.
//
//	go run ./bench/lab [-rounds 3] [-floor DIR] [-telemetry]
//
// It needs node, azurite (npm install) and func (on PATH, or DURABLE_FUNC).
// Each round begins with empty storage and a new host, warms up, and then
// measures: the chain of three one at a time, the same with 32 in flight, and
// fan-outs of 100 and 1,000 activities, of nothing and of 20 ms each. The caller
// follows the status URL of the start's answer with "Prefer: wait".
//
// With the source of the floor drivers (-floor, or DURABLE_FLOOR) the same
// storage requests without host and engine are measured in each round, on the
// same emulator, before the app in every second round and after it in the
// others. With -telemetry the same app with everything that package durableotel does
// is measured in each round, too, on an emulator of its own, before the app in every
// second round. Only the ratio to them says something about the engine: figures of
// different machines, or hours, cannot be compared.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/durable-go/functions/internal/azurite"
	"github.com/durable-go/functions/internal/e2e/host"
)

func main() {
	rounds := flag.Int("rounds", 3, "how often everything is measured")
	telemetry := flag.Bool("telemetry", false, "measure the app with telemetry, too")
	source := flag.String("floor", os.Getenv("DURABLE_FLOOR"), "`directory` with the source of the floor drivers")
	var s sizes
	flag.IntVar(&s.warm, "warm", 150, "chains before each measurement")
	flag.IntVar(&s.chains, "chains", 100, "chains one at a time, a round")
	flag.IntVar(&s.rate, "rate", 300, "chains at 32 in flight, a round")
	flag.IntVar(&s.fans, "fans", 5, "fan-outs of each width, a round")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *rounds, *source, *telemetry, s); err != nil {
		fmt.Fprintln(os.Stderr, "bench/lab:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, rounds int, source string, telemetry bool, s sizes) error {
	script, err := azurite.Find(".")
	if err != nil {
		return err
	}
	f, err := buildFloor(ctx, source)
	if err != nil {
		return err
	}
	if f == nil {
		fmt.Fprintln(os.Stderr, "no floor: neither -floor nor DURABLE_FLOOR names the source of the floor drivers")
	} else {
		defer func() { _ = f.remove() }()
	}
	r := &results{Environment: describe()}
	for n := range rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", n+1, rounds)
		if err := r.roundOfAll(ctx, script, f, telemetry, s, n%2 == 0); err != nil {
			return errors.Join(fmt.Errorf("round %d: %w", n+1, err), r.print(os.Stdout)) // of the rounds before
		}
	}
	return r.print(os.Stdout)
}

// roundOfAll is a round of everything that is measured.
func (r *results) roundOfAll(ctx context.Context, script string, f *floor, telemetry bool, s sizes, appFirst bool) error {
	if telemetry && !appFirst {
		if err := r.addTelemetry(ctx, script, s); err != nil {
			return err
		}
	}
	if err := r.round(ctx, script, f, s, appFirst); err != nil {
		return err
	}
	if telemetry && appFirst {
		return r.addTelemetry(ctx, script, s)
	}
	return nil
}

// addTelemetry measures the app with telemetry.
func (r *results) addTelemetry(ctx context.Context, script string, s sizes) error {
	e, err := startEmulator(ctx, script)
	if err != nil {
		return err
	}
	defer e.stop()
	got, err := measureApp(ctx, e, s, host.Options{Main: "./lab", Build: []string{"-C", "durableotel"}})
	if err == nil {
		r.Telemetry = append(r.Telemetry, got)
	}
	return err
}

// round measures app and floor once, on an emulator of their own.
func (r *results) round(ctx context.Context, script string, f *floor, s sizes, appFirst bool) error {
	e, err := startEmulator(ctx, script)
	if err != nil {
		return err
	}
	defer e.stop()
	if !appFirst {
		if err := r.addFloor(ctx, f, e, s); err != nil {
			return err
		}
	}
	got, err := measureApp(ctx, e, s, host.Options{Main: "./bench/lab/app"})
	if err != nil {
		return err
	}
	r.App = append(r.App, got)
	if appFirst {
		return r.addFloor(ctx, f, e, s)
	}
	return nil
}

func (r *results) addFloor(ctx context.Context, f *floor, e *emulator, s sizes) error {
	if f == nil {
		return nil
	}
	got, err := f.measure(ctx, e, s)
	r.Floor = append(r.Floor, got)
	return err
}

// measureApp starts an app and takes its figures.
func measureApp(ctx context.Context, e *emulator, s sizes, o host.Options) (got figures, err error) {
	o.Storage, o.Hub = e.connectionString(), "LabBench"
	//nolint:contextcheck // the host ends with Close, and not in the middle of its start
	h, err := host.Start(o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	p := processes{metricHost: {h.FuncPID()}, metricStorage: e.pidList()}
	for _, process := range h.Processes() {
		p[metricHandler] = append(p[metricHandler], process.PID)
	}
	got, err = measure(ctx, newClient(h.URL), p, s)
	if err != nil {
		return nil, fmt.Errorf("%w\nlast lines of the host:\n%s", err, tail(h.Log(), 4000))
	}
	return got, nil
}

func tail(text string, n int) string { return text[max(0, len(text)-n):] }
