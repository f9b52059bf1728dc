package azure

import (
	"context"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/durable-go/functions/internal/taskhub"
)

// crowds bound the events that wait in inboxes without a request for each: what this
// process has told an instance since it last counted bounds what it can have added,
// so it counts again when that is a quarter of the limit, or may reach it.
type crowds struct {
	mu   sync.Mutex // guards byID and what is in it
	byID map[string]*crowd
}

// load is a number of events and the size of their data.
type load struct{ events, bytes int }

func (l load) plus(m load) load { return load{l.events + m.events, l.bytes + m.bytes} }

// reaches reports whether one of the limits, of which 0 is none, is reached.
func (l load) reaches(limit load) bool {
	return limit.events > 0 && l.events >= limit.events || limit.bytes > 0 && l.bytes >= limit.bytes
}

// times is n times the load.
func (l load) times(n int) load { return load{n * l.events, n * l.bytes} }

// crowd is what is known of an inbox: what waited there when it was counted, at most,
// and what this process has told since.
type crowd struct {
	counted, told load
	// largest is the size of the largest event that this process has told.
	largest int
	// full is when the limit was found to be reached; zero: it was not.
	full time.Time
}

// maxCrowds bounds the instances of which something is known. Of some others, the
// one that was told least is forgotten for a new one.
const maxCrowds = 10_000

// tell notes events for an instance and reports whether to count before they are
// stored. full is what waits where the limit was found to be reached just now.
func (c *crowds) tell(id string, more, limit load, now time.Time) (count bool, full load) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.byID[id]
	if k == nil {
		k = c.addLocked(id)
	}
	if !k.full.IsZero() && now.Sub(k.full) < taskhub.CrowdPause && k.counted.reaches(limit) {
		return false, k.counted
	}
	if !k.full.IsZero() || k.counted.plus(k.told).reaches(limit) || k.told.times(4).reaches(limit) {
		return true, load{}
	}
	k.note(more)
	return false, load{}
}

func (k *crowd) note(more load) {
	k.told, k.largest = k.told.plus(more), max(k.largest, more.bytes)
}

// count notes how many wait, before more are stored, and returns what waits. What
// those have of data is at most all that was told, and no more than the largest each.
func (c *crowds) count(id string, waiting int, more, limit load, now time.Time) load {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.byID[id]
	if k == nil {
		k = c.addLocked(id)
	}
	k.counted = load{waiting, min(k.counted.bytes+k.told.bytes, waiting*k.largest)}
	k.told, k.full = load{}, time.Time{}
	if k.counted.reaches(limit) {
		k.full = now
	} else {
		k.note(more)
	}
	return k.counted
}

func (c *crowds) addLocked(id string) *crowd {
	if c.byID == nil {
		c.byID = map[string]*crowd{}
	}
	if len(c.byID) >= maxCrowds {
		least, seen := "", 0
		for other, k := range c.byID {
			if least == "" || k.counted.plus(k.told).events < c.byID[least].counted.plus(c.byID[least].told).events {
				least = other
			}
			if seen++; seen == 8 {
				break
			}
		}
		delete(c.byID, least)
	}
	k := &crowd{}
	c.byID[id] = k
	return k
}

// admit refuses what would be one event too many for the inbox.
func (h *Hub) admit(ctx context.Context, id string, tellings []*taskhub.Telling) error {
	var limit, more load
	for _, t := range tellings {
		if t.Limit > 0 && !t.Control() {
			limit, more = load{t.Limit, t.LimitBytes}, more.plus(load{1, len(t.Event.Input)})
		}
	}
	if limit.events == 0 {
		return nil
	}
	now := h.options.Now()
	count, waiting := h.crowds.tell(id, more, limit, now)
	if count {
		n, err := h.countEvents(ctx, id, limit.events)
		if err != nil {
			return err
		}
		waiting = h.crowds.count(id, n, more, limit, now)
	}
	if !waiting.reaches(limit) {
		return nil
	}
	return h.unlessTold(ctx, id, tellings, taskhub.Crowded(waiting.events, waiting.bytes))
}

// unlessTold returns the refusal unless everything was told before: then the answer
// to that may have been lost.
func (h *Hub) unlessTold(ctx context.Context, id string, tellings []*taskhub.Telling, refusal error) error {
	for _, t := range tellings {
		if t.Limit == 0 || t.Control() {
			continue
		}
		batch, err := h.receiptBatch(ctx, id, t.ID)
		if err != nil {
			return err
		}
		if batch == "" {
			return refusal
		}
	}
	return nil
}

// countEvents counts the events in an inbox, also those that are not due, up to about
// the limit.
func (h *Hub) countEvents(ctx context.Context, id string, limit int) (n int, err error) {
	filter := inPartition(id) + " and RowKey ge '" + taskhub.RestFrom + "' and RowKey lt '" + taskhub.InboxTo + "'"
	pager := h.history.NewListEntitiesPager(&aztables.ListEntitiesOptions{
		Filter: &filter, Select: to.Ptr("RowKey"), Top: to.Ptr(int32(min(limit, maxPage))), Format: to.Ptr(aztables.MetadataFormatNone),
	})
	for pager.More() && n < limit {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return 0, err
		}
		n += len(page.Entities)
	}
	return n, nil
}
