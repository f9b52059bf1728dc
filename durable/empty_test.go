package durable_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// A nil slice or map is absent: null for callers of the HTTP API, nil where Go reads it.
// An empty one stays empty. What Map and All return for no items is empty.
func TestNilAndEmptyValues(t *testing.T) {
	t.Parallel()
	values := map[string][]string{"nil": nil, "empty": {}}
	slices := durable.NewActivity("Slices", func(_ context.Context, how string) ([]string, error) { return values[how], nil })
	maps := durable.NewActivity("Maps", func(_ context.Context, how string) (map[string]int, error) {
		if how == "nil" {
			return nil, nil
		}
		return map[string]int{}, nil
	})
	type report struct{ Items []string }
	reports := durable.NewOrchestrator("Reports", func(_ *durable.Context, how string) (report, error) { return report{values[how]}, nil })
	o := durable.NewOrchestrator("O", func(ctx *durable.Context, how string) ([]string, error) {
		s, err := slices.Call(ctx, how).Await()
		if err != nil || (s == nil) != (how == "nil") {
			t.Errorf("%s: the slice is %#v, %v", how, s, err)
		}
		m, err := maps.Call(ctx, how).Await()
		if err != nil || (m == nil) != (how == "nil") {
			t.Errorf("%s: the map is %#v, %v", how, m, err)
		}
		ctx.SetCustomStatus(m)
		return s, nil
	})
	none := durable.NewOrchestrator("None", func(ctx *durable.Context, how string) ([]report, error) {
		if how == "Map" {
			return durable.Map(ctx, nil, reports)
		}
		return durable.All[report]()
	})
	for _, c := range []struct {
		o              durable.Registration
		begin          func(env *durabletest.Env) string
		output, custom string
	}{
		{o, started(o, "nil"), `null`, `null`},
		{o, started(o, "empty"), `[]`, `{}`},
		{reports, started(reports, "nil"), `{"Items":null}`, `null`},
		{reports, started(reports, "empty"), `{"Items":[]}`, `null`},
		{none, started(none, "Map"), `[]`, `null`},
		{none, started(none, "All"), `[]`, `null`},
	} {
		durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
			id := c.begin(env)
			w := httptest.NewRecorder()
			env.Client().ManagementAPI("/").ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/instances/"+id, nil))
			for _, want := range []string{`"output":` + c.output, `"customStatus":` + c.custom, `"runtimeStatus":"Completed"`} {
				if !strings.Contains(w.Body.String(), want) {
					t.Errorf("%d %s, want %s", w.Code, w.Body, want)
				}
			}
		}, c.o, slices, maps)
	}
}

// started starts an orchestrator, lets it run, and returns its id.
func started[Out any](o *durable.Orchestrator[string, Out], how string) func(env *durabletest.Env) string {
	return func(env *durabletest.Env) string {
		i := durabletest.Start(env, o, how)
		env.RunUntilIdle()
		return i.ID
	}
}
