package orchestration

import (
	"testing"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

func TestNoObserverCostsNothing(t *testing.T) {
	in := &Instance{Env: &Env{}, ID: "id", x: &execution{record: newRecord(taskhub.Fence{})}}
	in.x.draft.events = []*history.Event{{Type: history.ExecutionStarted, Name: "O"}, {Type: history.TaskScheduled, Name: "A"}}
	if n := testing.AllocsPerRun(100, func() {
		in.trace(in.x.draft.events)
		in.tell(in.endings())
		if in.traceOf(0).Valid() {
			t.Error("there is a trace")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
