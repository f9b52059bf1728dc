package durable

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/worker"
)

// The end of an orchestration is logged once where that is asked for, with how long it
// took; one that goes on as new has not ended.
func TestEndsAreLogged(t *testing.T) {
	counts := DeclareOrchestrator[int, int]("Counts")
	run := func(ctx *Context, n int) (int, error) {
		if err := ctx.Sleep(2 * time.Second); err != nil || n == 2 {
			return n, err
		}
		return counts.ContinueAsNew(ctx, n+1)
	}
	fails := NewOrchestrator("Fails", func(*Context, None) (None, error) { return None{}, errors.New("no luck") })
	waits := NewOrchestrator("Waits", func(ctx *Context, _ None) (int, error) { return WaitForEvent[int](ctx, "never").Await() })
	inHub(t, []Registration{counts.Implement(run), fails, waits}, func(h *hub) {
		for _, logged := range []bool{true, false} {
			var log bytes.Buffer
			h.change = func(o *worker.Options) { o.LogEnds, o.Log = logged, slog.New(slog.NewTextHandler(&log, nil)) }
			h.restart(h.store)
			got, err := result(h, counts, 1, nil)
			want(h, got, err, 2)
			if _, err := result(h, fails, None{}, nil); err == nil {
				h.t.Error("it has not failed")
			}
			startIt(h, waits, None{}, WithInstanceID("waits"))
			h.check(h.client().Terminate(context.Background(), "waits", "enough"))
			h.settle()
			text := log.String()
			ends := strings.Count(text, `msg="orchestration ended"`)
			completed := strings.Count(text, "name=Counts status=Completed took=2s")
			if terminated := strings.Count(text, "instance=waits name=Waits status=Terminated"); logged && (ends != 2 || completed != 1 || terminated != 1) || !logged && ends != 0 {
				h.t.Errorf("the log says\n%s", text)
			}
			if failed := strings.Count(text, `msg="orchestration failed"`); failed != 1 {
				h.t.Errorf("%d failures are logged", failed)
			}
		}
	})
}
