package simulation

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/programs"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/faults"
	"github.com/durable-go/functions/samples/conformance/program"
)

// connect makes the client within a process, whichever life it is in.
func (w *world) connect(number int) *durable.Client {
	store := faults.Through(w.watch, func(ctx context.Context, c faults.Call, do func() error) error {
		return w.current(number).call(ctx, c, do)
	})
	o := client.Options{Local: local{w, number}, Lease: leaseLength}
	return w.app.Connect(store, o).(*durable.Client)
}

// leaseLength is the default of a worker.
const leaseLength = 30 * time.Second

// current is the life that a process is in.
func (w *world) current(number int) *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.processes[number]
}

// local is the worker of a process as the client within it knows it.
type local struct {
	w      *world
	number int
}

func (l local) Started(d taskhub.Delivery, row *taskhub.Instance) {
	l.w.current(l.number).worker.Started(d, row)
}
func (l local) Sent(d taskhub.Delivery) { l.w.current(l.number).worker.Sent(d) }
func (l local) Holds(id string) bool    { return l.w.current(l.number).worker.Holds(id) }
func (l local) Poke(id string) bool     { return l.w.current(l.number).worker.Poke(id) }
func (l local) Current(id string) (origin, name string, ok bool) {
	return l.w.current(l.number).worker.Current(id)
}

func (l local) AwaitAnswer(id, telling string) (<-chan history.Payload, func()) {
	return l.w.current(l.number).worker.AwaitAnswer(id, telling)
}

func (l local) Watch(id string) (<-chan struct{}, func()) {
	return l.w.current(l.number).worker.Watch(id)
}

// maxTries is how often a start is tried: for longer than services are away.
const maxTries = 1000

// startInside has a process start an instance. When it dies meanwhile, or storage does
// not answer, the caller does not know whether it has, and asks another one; an instance
// that was started is not started again.
func (w *world) startInside(r *http.Request) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	answer.Code = http.StatusServiceUnavailable
	var in program.Input
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		answer.Code = http.StatusBadRequest
		return answer
	}
	id := path.Base(r.URL.Path)
	dice := w.dice("start " + id)
	for range maxTries {
		number := dice.IntN(w.run.Processes)
		code, err := programs.StartBy(w.inside[number])(r.Context(), id, in, durable.ReturnExisting)
		w.trace.add("p%d: start %s: %s %v", number, id, code, err)
		switch {
		case err != nil:
			<-time.After(time.Second + latency(dice))
		case w.isYoung(r):
			// Its message may be missing. A start that comes again after a while sends it,
			// as the reconciler of a real process would.
			<-time.After(leaseLength + time.Second)
		default:
			answer.Code = http.StatusAccepted
			return answer
		}
	}
	return answer
}

// isYoung reports whether the instance that a request starts has been pending for less
// than a lease.
func (w *world) isYoung(r *http.Request) bool {
	row, err := w.hub.Instance(r.Context(), path.Base(r.URL.Path))
	return err == nil && row.Status == history.Pending && time.Since(row.Updated) < leaseLength+time.Second
}
