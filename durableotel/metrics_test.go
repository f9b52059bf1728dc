package durableotel_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durableotel"
	"github.com/durable-go/functions/durabletest"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// points are the points of all metrics: name, attributes, and how many were counted or
// recorded.
func (r *recorder) points(t *testing.T) map[string]int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := r.metrics.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	out := map[string]int64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			add := func(a attribute.Set, n int64) {
				var texts []string
				for _, kv := range a.ToSlice() {
					texts = append(texts, string(kv.Key)+"="+text(kv))
				}
				slices.Sort(texts)
				out[strings.TrimSpace(m.Name+" "+strings.Join(texts, " "))] = n
			}
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					add(p.Attributes, p.Value)
				}
			case metricdata.Gauge[float64]:
				for _, p := range data.DataPoints {
					add(p.Attributes, int64(p.Value))
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					add(p.Attributes, int64(p.Count))
				}
			case metricdata.Histogram[int64]:
				for _, p := range data.DataPoints {
					add(p.Attributes, int64(p.Count))
				}
			}
		}
	}
	return out
}

func TestMetrics(t *testing.T) {
	r := record()
	durabletest.Options{App: r.app}.Run(t, func(t *testing.T, env *durabletest.Env) {
		ended(durabletest.Start(env, retryThird, "key"))
		ended(durabletest.Start(env, actThrow, durable.None{}))
		ended(durabletest.Start(env, entityThrowCaller, "k"))
	}, functions...)
	got := r.points(t)
	for point, n := range map[string]int64{
		"durable.orchestration.started durabletask.task.name=RetryThird durabletask.task.version=":                                     1,
		"durable.orchestration.start_delay durabletask.task.name=RetryThird":                                                           1,
		"durable.orchestration.completed durabletask.task.name=RetryThird durabletask.task.status=Completed durabletask.task.version=": 1,
		"durable.orchestration.completed durabletask.task.name=ActThrow durabletask.task.status=Failed durabletask.task.version=":      1,
		"durable.orchestration.duration durabletask.task.name=ActThrow durabletask.task.status=Failed":                                 1,
		"durable.history.events durabletask.task.name=RetryThird":                                                                      1,
		"durable.activity.duration durabletask.task.name=Flaky error.type=*errors.errorString outcome=error":                           2,
		"durable.activity.duration durabletask.task.name=Flaky outcome=ok":                                                             1,
		"durable.activity.queue_delay durabletask.task.name=Flaky":                                                                     3,
		"durable.activity.retries durabletask.task.name=Flaky":                                                                         2,
		"durable.activity.active durabletask.task.name=Flaky":                                                                          0,
		"durable.timer.lateness": 2,
		"durable.entity.operation.duration durabletask.task.name=counter durabletask.task.operation=throw error.type=*errors.errorString outcome=error": 1,
	} {
		if have, there := got[point]; !there || have != n {
			t.Errorf("%s: %d, want %d", point, have, n)
		}
	}
	for point := range got {
		if strings.Contains(point, "instance") || strings.Contains(point, "execution") {
			t.Errorf("%s has the id of an instance", point)
		}
	}
	if t.Failed() {
		for point, n := range got {
			t.Log(n, point)
		}
	}
}

// want checks that points are there; a negative number is any that is not 0.
func want(t *testing.T, got, points map[string]int64) {
	t.Helper()
	for point, n := range points {
		if have, there := got[point]; !there || have != n && (n >= 0 || have == 0) {
			t.Errorf("%s: %d, want %d", point, have, n)
		}
	}
	for point := range got {
		if strings.Contains(point, "instance_id") || strings.Contains(point, "execution") {
			t.Errorf("%s has the id of an instance", point)
		}
	}
	if t.Failed() {
		for _, point := range slices.Sorted(maps.Keys(got)) {
			t.Log(got[point], point)
		}
	}
}

// TestMeasures: what happens inside of the process is measured where it happens.
func TestMeasures(t *testing.T) {
	r := record()
	locks := durable.NewOrchestrator("Locks", func(ctx *durable.Context, _ durable.None) (string, error) {
		_, err := durable.Critical(ctx, func() (int, error) { return add.Call(ctx, "k", 1).Await() }, counters.ID("k"))
		return "", err
	})
	var got map[string]int64
	durabletest.Options{App: r.app}.Run(t, func(t *testing.T, env *durabletest.Env) {
		ended(durabletest.Start(env, retryThird, "key"))
		ended(durabletest.Start(env, locks, durable.None{}))
		got = r.points(t)
	}, append(functions, locks)...)
	want(t, got, map[string]int64{
		"durable.turn.duration durabletask.task.name=RetryThird kind=turn":   6,
		"durable.turn.duration durabletask.task.name=RetryThird kind=replay": -1,
		"durable.turn.replayed_events durabletask.task.name=RetryThird":      -1,
		"durable.history.size durabletask.task.name=RetryThird":              1,
		"durable.entity.batch_size durabletask.task.name=counter":            1,
		"durable.entity.state_size durabletask.task.name=counter":            1,
		"durable.entity.lock_wait durabletask.task.name=counter":             1,
		"durable.entity.backlog durabletask.task.name=counter":               -1,
		"durable.cache.lookups kind=orchestration result=hit":                -1,
		"durable.cache.lookups kind=orchestration result=miss":               -1,
		"durable.cache.lookups kind=entity result=miss":                      -1,
		"durable.cache.size kind=orchestration":                              0,
		"durable.cache.size kind=entity":                                     0,
		"durable.worker.slots kind=activity state=free":                      100,
		"durable.worker.slots kind=activity state=used":                      0,
		"durable.worker.slots kind=orchestrator state=used":                  0,
		"durable.worker.slots kind=entity state=used":                        0,
		"durable.activity.waiting":                                           0,
	})
	for point := range got {
		if strings.HasPrefix(point, "durable.queue.") {
			t.Errorf("%s costs requests, and was not asked for", point)
		}
	}
}

// TestQueues: queues are read where that is asked for.
func TestQueues(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	r := &recorder{app: durable.NewApp(), metrics: reader}
	r.app.Observe(durableotel.New(durableotel.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))), durableotel.WithQueues()))
	var got map[string]int64
	durabletest.Options{App: r.app}.Run(t, func(t *testing.T, env *durabletest.Env) {
		run := durabletest.Start(env, timer2, durable.None{})
		pause(time.Second)
		got = r.points(t)
		ended(run)
	}, functions...)
	want(t, got, map[string]int64{
		"durable.queue.depth queue=durablefunctionshub-control-00":      1, // the timer
		"durable.queue.oldest_age queue=durablefunctionshub-control-00": 0,
		"durable.queue.depth queue=durablefunctionshub-workitems":       0,
	})
	if left := r.points(t); left["durable.worker.slots kind=activity state=free"] != 0 {
		t.Errorf("a process that has ended is still read: %v", left)
	}
}

// TestRequests: requests to the storage account are counted by what they cost.
func TestRequests(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	r := &recorder{metrics: reader}
	o := durableotel.New(durableotel.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))))
	o.Request("table", "POST transaction", 202, time.Millisecond)
	o.Request("table", "POST transaction", 202, time.Millisecond)
	o.Request("queue", "GET message", 0, time.Second)
	got := r.points(t)
	for point, n := range map[string]int64{
		"durable.storage.request.duration http.request.method=POST http.response.status_code=202 operation=transaction service=table": 2,
		"durable.storage.request.duration http.request.method=GET http.response.status_code=0 operation=message service=queue":        1,
	} {
		if got[point] != n {
			t.Errorf("%s: %d, want %d; there are %v", point, got[point], n, got)
		}
	}
}
