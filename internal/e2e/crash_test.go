//go:build linux

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/e2e/host"
)

// neighbours are the instances in flight beside one that ends the process.
const neighbours = 20

// Code that always ends its process fails with its reason, and harms nobody else.
func TestCodeEndsTheProcess(t *testing.T) {
	for _, c := range []struct{ name, orchestrator string }{{"activity", "Exiting"}, {"second turn", "ExitingTurn"}, {"operation of an entity", "ExitingOperation"}} {
		t.Run(c.name, func(t *testing.T) { endsTheProcess(t, c.orchestrator) })
	}
}

func endsTheProcess(t *testing.T, orchestrator string) {
	h, traces := runTestApp(t)
	pid := h.FuncPID()
	supervisor, _ := pair(t, h)
	var ids []string
	for range neighbours {
		ids = append(ids, starts(t, h, "Working", "", "200"))
	}
	traffic := startTraffic(t.Context(), h)
	// The process may end before it has answered this very request.
	const id = "exiting"
	if reply, err := h.Do(bounded(t), http.MethodPost, "/api/orchestrators/"+orchestrator+"?id="+id, []byte(`"it hurts"`)); err != nil || reply.Code != http.StatusAccepted && reply.Code != http.StatusInternalServerError {
		t.Fatalf("starting what ends the process: %+v %v", reply, err)
	}
	status, err := h.Wait(bounded(t), id)
	if err != nil {
		t.Fatal(err)
	}
	if status.RuntimeStatus != "Failed" || !strings.Contains(string(status.Output), "exit code 1") || !strings.Contains(string(status.Output), "it hurts") {
		t.Errorf("%s %s, want Failed with exit code 1 and the last line", status.RuntimeStatus, status.Output)
	}
	for _, id := range ids {
		completes(t, h, id, "2000")
	}
	for _, failed := range traffic.stop() {
		t.Error(failed)
	}
	t.Logf("%d requests meanwhile, %d POSTs lost inside a dying process; the activity ran %d times", traffic.sent, traffic.lost, len(lines(t, traces, id)))
	if now, _ := pair(t, h); !h.Alive() || h.FuncPID() != pid || now != supervisor {
		t.Error("the host has noticed")
	}
}

// traffic is HTTP requests that go on until they are stopped.
type traffic struct {
	cancel context.CancelFunc
	group  sync.WaitGroup

	mu     sync.Mutex
	sent   int
	lost   int
	failed []string
}

func startTraffic(ctx context.Context, h *host.Host) *traffic {
	ctx, cancel := context.WithCancel(ctx)
	tr := &traffic{cancel: cancel}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		tr.group.Go(func() {
			for ctx.Err() == nil {
				reply, err := h.Do(context.WithoutCancel(ctx), method, "/api/ok", nil)
				tr.note(method, reply, err)
				<-time.After(5 * time.Millisecond) // the app needs the processor too
			}
		})
	}
	return tr
}

// note judges an answer. The host repeats a GET whose handler died. A POST that
// was inside the handler then is answered 500 or 502, and nothing can be done.
func (tr *traffic) note(method string, reply *host.Reply, err error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.sent++
	switch {
	case err != nil:
		tr.failed = append(tr.failed, fmt.Sprintf("%s: %v", method, err))
	case reply.Code == http.StatusOK:
	case method == http.MethodPost && slices.Contains([]int{http.StatusInternalServerError, http.StatusBadGateway}, reply.Code):
		tr.lost++
	default:
		tr.failed = append(tr.failed, fmt.Sprintf("%s: %d %s", method, reply.Code, reply.Body))
	}
}

func (tr *traffic) stop() []string {
	tr.cancel()
	tr.group.Wait()
	return tr.failed
}

// What goes wrong in user code fails the instance, with the reason.
func TestFailures(t *testing.T) {
	h, _ := runTestApp(t)
	for _, c := range []struct{ orchestrator, input, says string }{
		{"Panicking", `"no way"`, "no way"},
		{"Big", "11000000", "maxPayload"},
		{"FanOut", `"not a number"`, "the input is no int"},
	} {
		t.Run(c.orchestrator, func(t *testing.T) {
			status, err := h.Wait(bounded(t), starts(t, h, c.orchestrator, "", c.input))
			if err != nil {
				t.Fatal(err)
			}
			if status.RuntimeStatus != "Failed" || !strings.Contains(string(status.Output), c.says) {
				t.Errorf("%s %s, want Failed with %q", status.RuntimeStatus, status.Output, c.says)
			}
		})
	}
	t.Run("large results", func(t *testing.T) {
		for _, size := range []string{"100000", "10000000"} {
			completes(t, h, starts(t, h, "Big", "", size), size)
		}
	})
	t.Run("fan-out", func(t *testing.T) {
		for _, n := range []int{0, 1, 100, 1000} {
			completes(t, h, starts(t, h, "FanOut", "", fmt.Sprint(n)), fmt.Sprint(n*(n-1)*(2*n-1)/6))
		}
	})
	t.Run("unfinished id", func(t *testing.T) {
		starts(t, h, "Working", "busy", "300")
		reply, err := h.Do(bounded(t), http.MethodPost, "/api/orchestrators/Working?id=busy", []byte("1"))
		if err != nil {
			t.Fatal(err)
		}
		if reply.Code != http.StatusConflict {
			t.Errorf("%d %s, want 409", reply.Code, reply.Body)
		}
		if status := completes(t, h, "busy", "3000"); string(status.Input) != "300" {
			t.Errorf("the refused start has changed the input to %s", status.Input)
		}
	})
}
