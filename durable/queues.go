package durable

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/durable-go/functions/handler"
	"github.com/durable-go/functions/internal/taskhub"
)

// queues are those of the task hub and who listens to them. A function folder
// that is named like an orchestrator or an activity and has a queue of its own
// gives that function a queue apart: the host scales it and logs it under its
// own name.
type queues struct {
	control, work string
	// ofOrchestrator and ofActivity are the queues apart, by the lower-case name.
	ofOrchestrator, ofActivity map[string]string
	// listeners are the functions that bring messages, by queue.
	listeners map[string]*handler.Function
}

// newQueues finds the listeners among the functions of the app that have no
// code of their own.
func newQueues(hub string, functions []*handler.Function, r *registry) (*queues, error) {
	q := &queues{
		control: taskhub.ControlQueue(hub), work: taskhub.WorkItemQueue(hub),
		ofOrchestrator: map[string]string{}, ofActivity: map[string]string{},
		listeners: map[string]*handler.Function{},
	}
	for _, f := range functions {
		queue := f.Trigger.QueueName
		if !strings.EqualFold(f.Trigger.Type, "queueTrigger") || !q.claim(f, r) {
			continue
		}
		if other := q.listeners[queue]; other != nil {
			return nil, fmt.Errorf("%s/function.json: queue %s is listened to by %s already", f.Name, queue, other.Name)
		}
		if !strings.EqualFold(f.Trigger.DataType, "binary") {
			return nil, fmt.Errorf(`%s/function.json: dataType: must be "binary" for queue %s: otherwise the host mixes the message into its metadata`, f.Name, queue)
		}
		q.listeners[queue] = f
	}
	return q, nil
}

// claim reports whether the function listens for the task hub, and notes a queue
// apart.
func (q *queues) claim(f *handler.Function, r *registry) bool {
	queue, name := f.Trigger.QueueName, strings.ToLower(f.Name)
	if queue == q.control || queue == q.work {
		return true
	}
	if _, ok := r.orchestrators[name]; ok {
		q.ofOrchestrator[name] = queue
		return true
	}
	if _, ok := r.activities[name]; ok {
		q.ofActivity[name] = queue
		return true
	}
	return false
}

// controlOf is the queue of an orchestrator.
func (q *queues) controlOf(orchestrator string) string {
	if queue, apart := q.ofOrchestrator[strings.ToLower(orchestrator)]; apart {
		return queue
	}
	return q.control
}

// workOf is the queue of an activity.
func (q *queues) workOf(activity string) string {
	if queue, apart := q.ofActivity[strings.ToLower(activity)]; apart {
		return queue
	}
	return q.work
}

// apart are the queues that the task hub does not have by itself.
func (q *queues) apart() []string {
	return append(slices.Sorted(maps.Values(q.ofOrchestrator)), slices.Sorted(maps.Values(q.ofActivity))...)
}
