package durable

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/management"
	"github.com/durable-go/functions/internal/worker"
)

func stock() map[string]int { return nil }

// failing are functions that end badly, each in its way.
func failing() (*Orchestrator[string, None], []Registration) {
	acts := NewAction("Act", func(_ context.Context, how string) error {
		if how == "activity panics" {
			stock()[how]++
		}
		return errors.New("out of stock")
	})
	var o *Orchestrator[string, None]
	o = NewOrchestrator("Order", func(ctx *Context, how string) (none None, err error) {
		if err := ctx.Sleep(time.Hour); err != nil {
			return none, err
		}
		switch how {
		case "panics":
			panic("oh")
		case "child panics":
			return o.Call(ctx, "panics").Await()
		case "handled":
			_, _ = acts.Call(ctx, how).Await()
			return none, nil
		}
		return acts.Call(ctx, how, WithRetry(RetryPolicy{MaxAttempts: 3, FirstInterval: time.Second})).Await()
	})
	return o, []Registration{o, acts}
}

// TestFailuresAreLogged: what fails is said once, with the place of a panic, and
// what may be repeated is no error.
func TestFailuresAreLogged(t *testing.T) {
	o, functions := failing()
	for how, want := range map[string][]string{
		"panics":       {`ERROR orchestration failed name=Order error="panic: oh (durable/failures_test.go:N)"`},
		"child panics": {`WARN orchestration failed name=Order error="panic: oh (durable/failures_test.go:N)"`, `ERROR orchestration failed name=Order error="Orchestrator function 'Order' failed: panic: oh (durable/failures_test.go:N)"`},
		"activity panics": {
			`ERROR activity failed name=Act error="panic: assignment to entry in nil map (durable/failures_test.go:N)"`,
			`ERROR orchestration failed name=Order error="Activity function 'Act' failed: panic: assignment to entry in nil map (durable/failures_test.go:N)"`,
		},
		"handled": {`INFO activity failed name=Act error="out of stock"`},
		"fails": {
			`INFO activity failed name=Act error="out of stock"`, `INFO activity failed name=Act error="out of stock"`, `INFO activity failed name=Act error="out of stock"`,
			`ERROR orchestration failed name=Order error="Activity function 'Act' failed: out of stock"`,
		},
	} {
		t.Run(how, func(t *testing.T) {
			inHub(t, functions, func(h *hub) {
				var log bytes.Buffer
				h.change = func(o *worker.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) }
				h.stop()
				h.worker.Kill()
				h.open()
				_, err := result(h, o, how, nil)
				if (err == nil) != (how == "handled") {
					h.t.Errorf("it ended with %v", err)
				}
				h.stop()
				h.worker.Kill()
				defer h.open() // what inHub ends
				if got := shape(log.String()); strings.Join(got, "\n") != strings.Join(want, "\n") {
					h.t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			})
		})
	}
}

var (
	varying = regexp.MustCompile(`time=\S+ |level=|msg=| instance=\S+| execution=\S+| task=\S+`)
	texts   = regexp.MustCompile(`"((?:orchestration|activity) failed)"`)
	lines   = regexp.MustCompile(`\.go:\d+`)
)

// shape is a log about failures without what differs from run to run.
func shape(log string) (out []string) {
	for line := range strings.Lines(log) {
		if strings.Contains(line, " failed\"") {
			line = texts.ReplaceAllString(varying.ReplaceAllString(strings.TrimSpace(line), ""), "$1")
			out = append(out, lines.ReplaceAllString(line, ".go:N"))
		}
	}
	return out
}

// TestStartsByTheAPIHaveTheDefaultVersion, unless they name another one.
func TestStartsByTheAPIHaveTheDefaultVersion(t *testing.T) {
	o := NewOrchestrator("O", func(ctx *Context, _ None) (string, error) { return ctx.Version(), nil })
	inHub(t, []Registration{o}, func(h *hub) {
		h.registry.versions = versioning{current: "2.0", match: "none"}
		h.core.links = &management.Links{Keys: management.NewKeys(h.store, hubName, time.Now), Path: "/links"}
		for query, want := range map[string]string{"": `"2.0"`, "&version=1.9": `"1.9"`} {
			r := httptest.NewRequestWithContext(h.t.Context(), http.MethodPost, "/api/orchestrators/O?timeout=30"+query, nil)
			w := httptest.NewRecorder()
			h.client().ManagementAPI("/api").ServeHTTP(w, r)
			if got := strings.TrimSpace(w.Body.String()); got != want {
				h.t.Errorf("%s: %d %s, want %s", query, w.Code, got, want)
			}
		}
	})
}
