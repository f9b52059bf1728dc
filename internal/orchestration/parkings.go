package orchestration

import (
	"errors"
	"sync"
	"time"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/internal/engine"
)

// Parkings are the instances that this process has parked, for the observer. They may be
// used concurrently.
type Parkings struct {
	mu sync.Mutex // guards all
	by map[string]parking
}

// parking is why an instance is parked, and until when that is believed: then its
// messages have come again, here or elsewhere.
type parking struct {
	name, reason string
	until        time.Time
}

// note keeps that an instance is parked.
func (p *Parkings) note(id, name string, cause error, now time.Time) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.by == nil {
		p.by = map[string]parking{}
	}
	p.forgetOld(now)
	p.by[id] = parking{name, reasonOf(cause), now.Add(2 * parkedDelay)}
}

// goesOn notes that an instance is not parked.
func (p *Parkings) goesOn(id string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.by, id)
}

func (p *Parkings) forgetOld(now time.Time) {
	for id, k := range p.by {
		if now.After(k.until) {
			delete(p.by, id)
		}
	}
}

// Read counts them.
func (p *Parkings) Read(now time.Time) (out []observe.Measurement) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forgetOld(now)
	at := map[[2]string]int{}
	for _, k := range p.by {
		key := [2]string{k.name, k.reason}
		if _, there := at[key]; !there {
			at[key] = len(out)
			out = append(out, observe.Measurement{Quantity: observe.Parked, Name: k.name, Detail: k.reason})
		}
		out[at[key]].Value++
	}
	return out
}

// reasonOf is why an instance is parked, as [observe.Parked] has it.
func reasonOf(cause error) string {
	switch {
	case errors.As(cause, new(*engine.NonDeterminismError)):
		return "nondeterministic"
	case errors.As(cause, new(*engine.BlockedError)):
		return "blocked"
	case errors.As(cause, new(*unknownCode)):
		return "unknown"
	case errors.As(cause, new(*refusedError)):
		return "refused"
	}
	return "unreadable"
}
