package fake

import (
	"cmp"
	"maps"
	"slices"
)

// Count is what the requests of one kind came to.
type Count struct {
	Kind
	// Requests is how many there were; Failed how many of them were answered
	// with an error, failed transactions included.
	Requests, Failed int
	// Rows are those that were read or written, or messages.
	Rows int
	// Sent and Received are bytes of bodies, as the client sees it.
	Sent, Received int
}

func (a *Account) count(kind Kind, c *call, r *reply) {
	n := a.counts[kind]
	if n == nil {
		n = &Count{Kind: kind}
		a.counts[kind] = n
	}
	n.Requests++
	n.Rows += r.rows
	n.Sent += len(c.body)
	n.Received += len(r.body)
	if r.status >= 300 || r.failed {
		n.Failed++
	}
}

// Counts returns what was requested since the start or the last Reset, ordered
// by service, target and operation.
func (a *Account) Counts() []Count {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make([]Count, 0, len(a.counts))
	for _, n := range a.counts {
		out = append(out, *n)
	}
	slices.SortFunc(out, func(x, y Count) int {
		return cmp.Or(cmp.Compare(x.Service, y.Service), cmp.Compare(x.Target, y.Target), cmp.Compare(x.Operation, y.Operation))
	})
	return out
}

// Reset forgets the counts. What is stored stays.
func (a *Account) Reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.counts, func(Kind, *Count) bool { return true })
}
