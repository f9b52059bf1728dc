// Package maporder ranges over maps.
package maporder

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"example.com/helpers"
	"github.com/durable-go/functions/durable"
)

var charge = durable.NewActivity[int, int]("Charge", nil)

func Bad(ctx *durable.Context, m map[string]int) ([]string, error) {
	for _, n := range m { // want `DUR004 maporder: the order of a map, on which a call depends, in an orchestrator`
		if _, err := charge.Call(ctx, n).Await(); err != nil {
			return nil, err
		}
	}
	for k, n := range m { // want `on which a call depends`
		_, _ = charge.Call(ctx, n+len(k)).Await()
	}
	var names []string
	for k := range m { // want `on which the slice names depends`
		names = append(names, k)
	}
	text := ""
	for k := range m { // want `on which the text text depends`
		text += k
	}
	var b strings.Builder
	for k, v := range m { // want `on which a text depends`
		fmt.Fprintf(&b, "%s=%d", k, v)
	}
	for k, v := range m { // want `on which a result depends`
		if v > 5 {
			return []string{k}, nil
		}
	}
	step := func(n int) { _, _ = charge.Call(ctx, n).Await() }
	for _, v := range m { // want `on which a call depends`
		step(v)
	}
	for k := range maps.Keys(m) { // want `on which the slice names depends`
		names = append(names, k)
	}
	names = append(names, slices.Collect(maps.Keys(m))...) // want `DUR004 maporder: the order of a map in an orchestrator: use slices.Sorted\(maps.Keys\(m\)\)`
	for _, k := range helpers.Keys(m) {                    // want `Keys calls the order of a map`
		_, _ = charge.Call(ctx, m[k]).Await()
	}
	return append(names, helpers.Keys(m)...), nil // want `Keys calls the order of a map`
}

func Good(ctx *durable.Context, m map[string]int) ([]string, error) {
	sum, largest := 0, 0
	copied := map[string]int{}
	lists := map[string][]int{}
	for k, v := range m {
		sum += v
		largest = max(largest, v)
		copied[k] = v
		lists[k] = append(lists[k], v)
	}
	for range m {
		_, _ = charge.Call(ctx, 1).Await()
	}
	for k, v := range m {
		if strings.EqualFold(k, "x") {
			return []string{k, fmt.Sprint(v)}, nil
		}
	}
	var names, more []string
	for k := range m {
		names = append(names, k)
	}
	sort.Strings(names)
	for k := range m {
		more = append(more, k)
	}
	slices.SortFunc(more, strings.Compare)
	for _, k := range slices.Sorted(maps.Keys(m)) {
		_, _ = charge.Call(ctx, m[k]).Await()
	}
	keys := slices.Collect(maps.Keys(m))
	slices.Sort(keys)
	others := helpers.Keys(m)
	sort.Strings(others)
	_ = len(helpers.Keys(m)) + helpers.Sum(m)
	return append(append(keys, helpers.SortedKeys(m)...), others...), nil
}
