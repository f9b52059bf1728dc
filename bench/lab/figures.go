//go:build linux

package main

import (
	"context"
	"slices"
	"time"
)

// The metrics, in the order in which they are printed. All are milliseconds but
// for metricRate; CPU time is that of the chains in flight.
const (
	metricChain    = "chain of 3, p50 ms"
	metricChainP95 = "chain of 3, p95 ms"
	metricRate     = "chains a second, 32 in flight"
	metricFan100   = "fan-out of 100, ms"
	metricFan1000  = "fan-out of 1000, ms"
	metricSlow100  = "fan-out of 100 of 20 ms, ms"
	metricSlow1000 = "fan-out of 1000 of 20 ms, ms"
	metricHost     = "CPU a chain, host, ms"
	metricHandler  = "CPU a chain, handler, ms"
	metricStorage  = "CPU a chain, azurite, ms"
)

var metrics = []string{metricChain, metricChainP95, metricRate, metricFan100, metricFan1000, metricSlow100, metricSlow1000, metricHost, metricHandler, metricStorage}

const inFlight = 32

// fanOut is the orchestrator whose activities do nothing.
const fanOut = "FanOut"

// fans are the fan-outs that are measured: those of FanSlow do real work, 20 ms each.
var fans = []struct {
	metric, orchestrator string
	width                int
}{{metricFan100, fanOut, 100}, {metricFan1000, fanOut, 1000}, {metricSlow100, "FanSlow", 100}, {metricSlow1000, "FanSlow", 1000}}

// figures are the results of a round, by metric.
type figures map[string]float64

// sizes say how much a round measures.
type sizes struct{ warm, chains, rate, fans int }

// measure warms the app up and takes the figures.
func measure(ctx context.Context, c *client, p processes, s sizes) (figures, error) {
	if _, _, err := c.chains(ctx, s.warm, 4); err != nil {
		return nil, err
	}
	if _, err := c.fanOuts(ctx, fanOut, 1, 100); err != nil {
		return nil, err
	}
	single, _, err := c.chains(ctx, s.chains, 1)
	if err != nil {
		return nil, err
	}
	before := p.cpu()
	_, all, err := c.chains(ctx, s.rate, inFlight)
	if err != nil {
		return nil, err
	}
	out := p.cpu()
	for name := range out {
		out[name] = (out[name] - before[name]) / float64(s.rate)
	}
	for _, fan := range fans {
		each, err := c.fanOuts(ctx, fan.orchestrator, s.fans, fan.width)
		if err != nil {
			return nil, err
		}
		out[fan.metric] = percentile(each, 50)
	}
	out[metricChain], out[metricChainP95] = percentile(single, 50), percentile(single, 95)
	out[metricRate] = float64(s.rate) / all.Seconds()
	return out, nil
}

// percentile is in milliseconds.
func percentile(all []time.Duration, p int) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return float64(sorted[min(len(sorted)*p/100, len(sorted)-1)]) / float64(time.Millisecond)
}

// median of the rounds that have the metric; 0 when none has.
func median(rounds []figures, metric string) float64 {
	var all []float64
	for _, round := range rounds {
		if v, ok := round[metric]; ok {
			all = append(all, v)
		}
	}
	return middle(all)
}

// ratio is the median of the app's figure divided by the floor's of the same
// round: more than 1 is slower. 0 without a floor.
func ratio(app, floor []figures, metric string) float64 {
	var all []float64
	for i := range min(len(app), len(floor)) {
		if base := floor[i][metric]; base > 0 {
			all = append(all, app[i][metric]/base)
		}
	}
	return middle(all)
}

func middle(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	if half := len(all) / 2; len(all)%2 == 0 {
		return (all[half-1] + all[half]) / 2
	}
	return all[len(all)/2]
}
