package durable

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/durable-go/functions/handler"
)

// listener is a function folder with a queue trigger.
func listener(name, queue, dataType string) *handler.Function {
	return &handler.Function{Name: name, Trigger: handler.Binding{Type: "queueTrigger", QueueName: queue, DataType: dataType}}
}

func queuesOf(t *testing.T, functions ...*handler.Function) (*queues, error) {
	t.Helper()
	r := newRegistry()
	for _, f := range []Registration{
		NewOrchestrator("Order", func(*Context, None) (None, error) { return None{}, nil }),
		NewActivity("Charge", func(context.Context, None) (None, error) { return None{}, nil }),
	} {
		if err := f.register(r); err != nil {
			t.Fatal(err)
		}
	}
	return newQueues("Hub", functions, r)
}

func TestQueuesApart(t *testing.T) {
	q, err := queuesOf(t,
		listener("Any", "hub-control-00", "binary"), listener("Works", "hub-workitems", "Binary"),
		listener("order", "hub-orders", "binary"), listener("Charge", "hub-charges", "binary"),
		listener("Stranger", "other", ""))
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(q.controlOf("ORDER"), q.controlOf("Hello"), q.workOf("charge"), q.workOf("Hello"), q.apart())
	if want := "hub-ordershub-control-00hub-chargeshub-workitems[hub-orders hub-charges]"; strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
		t.Errorf("got %s", got)
	}
	var names []string
	for _, f := range q.listeners {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	if fmt.Sprint(names) != "[Any Charge Works order]" {
		t.Errorf("listeners %v", names)
	}
}

func TestQueueMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		functions []*handler.Function
		want      string
	}{
		"twice":      {[]*handler.Function{listener("A", "hub-control-00", "binary"), listener("B", "hub-control-00", "binary")}, "B/function.json: queue hub-control-00 is listened to by A already"},
		"apart":      {[]*handler.Function{listener("A", "hub-control-00", "binary"), listener("Order", "q", "binary"), listener("Charge", "q", "binary")}, "Charge/function.json: queue q is listened to by Order already"},
		"not binary": {[]*handler.Function{listener("Charge", "q", "")}, `Charge/function.json: dataType: must be "binary" for queue q`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := queuesOf(t, c.functions...); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}
