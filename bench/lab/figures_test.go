//go:build linux

package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestPercentile(t *testing.T) {
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(100-i)*time.Millisecond)
	}
	for _, c := range []struct {
		all  []time.Duration
		p    int
		want float64
	}{
		{hundred, 50, 51}, {hundred, 95, 96}, {hundred, 100, 100},
		{[]time.Duration{time.Millisecond}, 95, 1},
	} {
		if got := percentile(c.all, c.p); got != c.want {
			t.Errorf("percentile %d of %d values is %v, want %v", c.p, len(c.all), got, c.want)
		}
	}
}

func TestMedians(t *testing.T) {
	app := []figures{{"x": 30}, {"x": 10}, {"x": 20}, {"x": 100}}
	floor := []figures{{"x": 10}, {"x": 10}, {"x": 5}}
	if got := median(app, "x"); got != 25 {
		t.Errorf("median %v, want 25", got)
	}
	if got := median(app, "y"); got != 0 {
		t.Errorf("median of nothing: %v", got)
	}
	// Ratios are of the same round: 3, 1 and 4.
	if got := ratio(app, floor, "x"); got != 3 {
		t.Errorf("ratio %v, want 3", got)
	}
	if got := ratio(app, nil, "x"); got != 0 {
		t.Errorf("ratio without a floor: %v", got)
	}
}

func TestParseFloor(t *testing.T) {
	line := "X+cache              chain3   n=100 window=1: 0.63s (0.64s with deletes) 156.2 inst/s 469 act/s | p50 5.9 ms p99 14.1 ms | ops/inst 7.00 (ops/act 2.33)\n"
	rate, p50, err := parseFloor(line)
	if rate != 156.2 || p50 != 5.9 || err != nil {
		t.Errorf("got %v, %v, %v", rate, p50, err)
	}
	if _, _, err := parseFloor("panic: no storage"); err == nil {
		t.Error("no error for a line without figures")
	}
}

func TestParseCPU(t *testing.T) {
	const stat = "4711 (a (strange) name) S 1 4711 4711 0 -1 4194304 1 2 3 4 250 50 7 8 20 0 9 0 100 1 2"
	if got := parseCPU(stat); got != 3000 {
		t.Errorf("got %v ms, want 3000", got)
	}
	if got := parseCPU("4711 (cut off) S"); got != 0 {
		t.Errorf("got %v ms of a line that is cut off", got)
	}
}

// app answers as an app does whose orchestrations need two status requests.
func app(t *testing.T, output string) (*client, *atomic.Int32) {
	var asked atomic.Int32
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("POST /api/orchestrators/{name}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("name") == "Missing" {
			w.WriteHeader(http.StatusNotFound)
			_, _ = fmt.Fprint(w, `{"Message":"no such function"}`)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = fmt.Fprintf(w, `{"id":"a","statusQueryGetUri":"%s/status/a"}`, server.URL)
	})
	mux.HandleFunc("GET /status/a", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Prefer") != "wait=20" {
			t.Errorf("Prefer: %q", r.Header.Get("Prefer"))
		}
		if asked.Add(1)%2 == 1 {
			w.WriteHeader(http.StatusAccepted)
			_, _ = fmt.Fprint(w, `{"runtimeStatus":"Running","output":null}`)
			return
		}
		_, _ = fmt.Fprintf(w, `{"runtimeStatus":"Completed","output":%s}`, output)
	})
	return newClient(server.URL), &asked
}

func TestClient(t *testing.T) {
	c, asked := app(t, labOutput)
	each, all, err := c.chains(t.Context(), 5, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(each) != 5 || asked.Load() != 10 {
		t.Errorf("%d figures and %d status requests, want 5 and 10", len(each), asked.Load())
	}
	for _, took := range each {
		if took <= 0 || took > all {
			t.Errorf("one took %v, all %v", took, all)
		}
	}
}

func TestClientFindsWrongResults(t *testing.T) {
	c, _ := app(t, `"wrong"`)
	if _, _, err := c.chains(t.Context(), 4, 2); err == nil || !strings.Contains(err.Error(), `"wrong"`) {
		t.Errorf("a wrong output: %v", err)
	}
	if _, err := c.fanOuts(t.Context(), fanOut, 1, 3); err == nil {
		t.Error("a wrong output of a fan-out is no error")
	}
	if _, err := c.run(t.Context(), "Missing", "", ""); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("an unknown orchestrator: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := c.chains(ctx, 1, 1); err == nil {
		t.Error("a cancelled measurement is no error")
	}
}
