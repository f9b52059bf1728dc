package legal

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"example.com/users/helper"
	"github.com/durable-go/functions/durable"
)

var limit = 10 // never written

var ErrStop = errors.New("stop")

var table = map[string]int{"a": 1}

var Work = durable.NewActivity("Work", func(_ context.Context, s string) (string, error) {
	var mu sync.Mutex
	mu.Lock()
	defer mu.Unlock()
	go func() {}()
	resp, err := http.Get(s)
	if err != nil {
		return os.Getenv("X"), err
	}
	return time.Now().String(), resp.Body.Close()
})

// 1 time arithmetic, ctx.Now
var B1 = durable.NewOrchestrator("B1", func(ctx *durable.Context, _ durable.None) (string, error) {
	due := ctx.Now().Add(time.Hour).Truncate(time.Minute)
	return Work.Call(ctx, due.Format(time.RFC3339), durable.WithTimeout(30*time.Second)).Await()
})

// 2 sum over map
var B2 = durable.NewOrchestrator("B2", func(ctx *durable.Context, in map[string]int) (int, error) {
	n := 0
	for _, v := range in {
		n += v
	}
	return n + helper.Sum(in) + table["a"] + limit, nil
})

// 3 sorted keys
var B3 = durable.NewOrchestrator("B3", func(ctx *durable.Context, in map[string]string) ([]string, error) {
	var tasks []*durable.Task[string]
	for _, k := range slices.Sorted(maps.Keys(in)) {
		tasks = append(tasks, Work.Call(ctx, in[k]))
	}
	return durable.All(tasks...)
})

// 3b collect, then sort
var B3b = durable.NewOrchestrator("B3b", func(ctx *durable.Context, in map[string]string) ([]string, error) {
	keys := make([]string, 0, len(in))
	for k := range in {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	var out []string
	for _, k := range keys {
		s, err := Work.Call(ctx, k).Await()
		if err != nil {
			return nil, fmt.Errorf("working on %s: %w", k, err)
		}
		out = append(out, s)
	}
	return out, nil
})

// 4 side effect
var B4 = durable.NewOrchestrator("B4", func(ctx *durable.Context, _ durable.None) (string, error) {
	region := durable.SideEffect(ctx, func() string { return os.Getenv("REGION") + time.Now().String() })
	return region, nil
})

// 5 json, strings.Builder, fmt.Sprintf
var B5 = durable.NewOrchestrator("B5", func(ctx *durable.Context, in map[string]any) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%v", in)
	raw, err := json.Marshal(in)
	if err != nil {
		return "", err
	}
	b.Write(raw)
	ctx.Logger().Info("done", slog.String("x", b.String()))
	return b.String(), nil
})

// 6 lanes with own ctx; result through return; local struct
var B6 = durable.NewOrchestrator("B6", func(ctx *durable.Context, ids []string) (int, error) {
	total := 0
	var tasks []*durable.Task[int]
	for _, id := range ids {
		tasks = append(tasks, durable.Go(ctx, func(ctx *durable.Context) (int, error) {
			s, err := Work.Call(ctx, id).Await()
			total++
			return len(s), err
		}))
	}
	all, err := durable.All(tasks...)
	return len(all) + total, err
})

// 7 retry, errors.Is on activity failures
var B7 = durable.NewOrchestrator("B7", func(ctx *durable.Context, id string) (string, error) {
	s, err := Work.Call(ctx, id, durable.WithRetry(durable.RetryPolicy{MaxAttempts: 3, FirstInterval: time.Second})).Await()
	switch {
	case errors.Is(err, ErrStop):
		return "stopped", nil
	case err != nil:
		return "", err
	}
	return s, nil
})

// 8 loop with ContinueAsNew
var B8 = durable.NewOrchestrator("B8", func(ctx *durable.Context, n int) (int, error) {
	for i := 0; ; i++ {
		if err := ctx.Sleep(time.Hour); err != nil {
			return 0, err
		}
		if i > 100 {
			return durable.ContinueAsNew[int](ctx, n+1)
		}
	}
})

// 9 entities and timeouts with Select
var B9 = durable.NewOrchestrator("B9", func(ctx *durable.Context, id string) (string, error) {
	ev := durable.WaitForEvent[string](ctx, "approved")
	t := ctx.NewTimer(time.Hour)
	if durable.Select(ev, t) == 0 {
		t.Cancel()
		return ev.Await()
	}
	return "late", nil
})

// 10 defer that compensates with explicit failure handling
var B10 = durable.NewOrchestrator("B10", func(ctx *durable.Context, id string) (out string, err error) {
	undo := []func() error{}
	defer func() {
		for _, f := range slices.Backward(undo) {
			_ = f
		}
	}()
	undo = append(undo, func() error { return nil })
	return Work.Call(ctx, id).Await()
})

// 11 generic helper, slices.SortFunc, cmp
func groupBy[K cmp.Ordered, V any](xs []V, key func(V) K) map[K][]V {
	m := map[K][]V{}
	for _, x := range xs {
		m[key(x)] = append(m[key(x)], x)
	}
	return m
}

var B11 = durable.NewOrchestrator("B11", func(ctx *durable.Context, ids []string) (int, error) {
	g := groupBy(ids, func(s string) int { return len(s) })
	big := 0
	for k, v := range g {
		if len(v) > 1 {
			big = max(big, k)
		}
	}
	return big, nil
})

// 12 copy a map; delete; invert
var B12 = durable.NewOrchestrator("B12", func(ctx *durable.Context, in map[string]string) (map[string]string, error) {
	out := map[string]string{}
	for k, v := range in {
		out[v] = k
	}
	cp := maps.Clone(in)
	for k := range cp {
		if k == "" {
			delete(cp, k)
		}
	}
	maps.Copy(cp, out)
	return cp, nil
})

// 13 time.Parse, Duration, Unix, Date, LoadLocation? and rand from ctx
var B13 = durable.NewOrchestrator("B13", func(ctx *durable.Context, s string) (int, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return 0, err
	}
	_ = t.Sub(ctx.Now())
	_ = ctx.NewGUID()
	return ctx.Rand().IntN(10), ctx.Sleep(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Sub(t))
})

// 14 any found in a map (existence)
var B14 = durable.NewOrchestrator("B14", func(ctx *durable.Context, in map[string]bool) (bool, error) {
	for _, v := range in {
		if v {
			return true, nil
		}
	}
	return false, nil
})

// 15 context passed through options struct param, interface deps w/ pure method
type pricer interface{ Price(string) int }

type flow struct{ p pricer }

func (f flow) run(ctx *durable.Context, in string) (int, error) { return f.p.Price(in), nil }

var B15 = durable.NewOrchestrator("B15", flow{}.run)

// 16 recover in own code that re-panics is unusual; errors.As
var B16 = durable.NewOrchestrator("B16", func(ctx *durable.Context, in string) (string, error) {
	_, err := Work.Call(ctx, in).Await()
	var te *durable.TaskError
	if errors.As(err, &te) {
		return te.Message, nil
	}
	return "", err
})
