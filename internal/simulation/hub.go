package simulation

import (
	"context"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
	"github.com/durable-go/functions/internal/taskhub/memory"
)

// hub is a task hub of a run.
type hub interface {
	taskhub.Store
	// Wake is that of [memory.Hub].
	Wake(queue string) (wake <-chan struct{}, due time.Time)
	// Pending counts the messages of a queue, hidden ones included; Messages are those
	// that can be read.
	Pending(queue string) int
	Messages(queue string) []*taskhub.Message
	// calm ends what goes wrong in the hub itself.
	calm()
}

// newHub makes the hub of a run.
func newHub(t *testing.T, r Run, name string) (hub, error) {
	t.Helper()
	if !r.Strict {
		return memoryHub{memory.New(memory.Options{StoreInputs: true})}, nil
	}
	account := fake.NewStrict(0)
	h := &strictHub{hubtest.Open(t, account.ConnectionString(), name, account), account}
	if err := h.Create(context.Background(), taskhub.Owner{}); err != nil {
		return nil, err
	}
	account.Inject(badDay(r))
	return h, nil
}

// badDay is what goes wrong in the account. A ledger takes in commits in the order of
// their answers, so where one is kept none is late or lost that was applied.
func badDay(r Run) fake.Faults {
	bad := fake.BadDay(r.Seed, badAnswer)
	if r.Test.Kind != "bank" {
		return bad
	}
	return func(q fake.Request) fake.Fault {
		f := bad(q)
		if q.Service == "table" && (f.Lost || f.Inside || f.Slow > 0) {
			return fake.Fault{}
		}
		return f
	}
}

// badAnswer is how late an answer of the account may be at most.
const badAnswer = 3 * time.Second

type memoryHub struct{ *memory.Hub }

func (memoryHub) calm() {}

// strictHub is a hub on an account in this process that answers as the real service
// does, also on a bad day: see [fake.NewStrict] and [fake.BadDay].
type strictHub struct {
	*azure.Hub
	account *fake.Account
}

func (h *strictHub) calm() { h.account.Inject(nil) }

func (h *strictHub) Wake(queue string) (wake <-chan struct{}, due time.Time) {
	return h.account.Wake(queue)
}

func (h *strictHub) Pending(queue string) int { return len(h.account.Messages(queue)) }

func (h *strictHub) Messages(queue string) (out []*taskhub.Message) {
	for _, text := range h.account.Messages(queue) {
		if m, err := taskhub.DecodeMessage([]byte(text)); err == nil {
			out = append(out, m)
		}
	}
	return out
}
