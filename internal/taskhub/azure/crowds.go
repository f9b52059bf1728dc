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

// crowd is what is known of an inbox: how many events waited there when they were
// counted, and how many this process has told since.
type crowd struct {
	counted, told int
	// full is when the limit was found to be reached; zero: it was not.
	full time.Time
}

// maxCrowds bounds the instances of which something is known. Of some others, the
// one that was told least is forgotten for a new one.
const maxCrowds = 10_000

// tell notes n events for an instance and reports whether to count before they are
// stored, or that the limit was found to be reached just now.
func (c *crowds) tell(id string, n, limit int, now time.Time) (count bool, full int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.byID[id]
	if k == nil {
		k = c.addLocked(id)
	}
	if !k.full.IsZero() && now.Sub(k.full) < taskhub.CrowdPause && k.counted >= limit {
		return false, k.counted
	}
	if k.counted+k.told >= limit || 4*k.told >= limit || !k.full.IsZero() {
		return true, 0
	}
	k.told += n
	return false, 0
}

// count notes how many wait, before n more are stored.
func (c *crowds) count(id string, waiting, n, limit int, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.byID[id]
	if k == nil {
		k = c.addLocked(id)
	}
	*k = crowd{counted: waiting, told: n}
	if waiting >= limit {
		k.full, k.told = now, 0
	}
}

func (c *crowds) addLocked(id string) *crowd {
	if c.byID == nil {
		c.byID = map[string]*crowd{}
	}
	if len(c.byID) >= maxCrowds {
		least, seen := "", 0
		for other, k := range c.byID {
			if least == "" || k.counted+k.told < c.byID[least].counted+c.byID[least].told {
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
	limit, n := 0, 0
	for _, t := range tellings {
		if t.Limit > 0 && !t.Control() {
			n++
			if limit == 0 || t.Limit < limit {
				limit = t.Limit
			}
		}
	}
	if limit == 0 {
		return nil
	}
	now := h.options.Now()
	count, waiting := h.crowds.tell(id, n, limit, now)
	if count {
		var err error
		if waiting, err = h.countEvents(ctx, id, limit); err != nil {
			return err
		}
		h.crowds.count(id, waiting, n, limit, now)
	}
	if waiting < limit {
		return nil
	}
	return h.unlessTold(ctx, id, tellings, taskhub.Crowded(waiting))
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
	filter := "PartitionKey eq '" + quote(taskhub.EscapeKey(id)) + "' and RowKey ge '" + taskhub.RestFrom + "' and RowKey lt '" + taskhub.InboxTo + "'"
	pager := h.history.NewListEntitiesPager(&aztables.ListEntitiesOptions{
		Filter: &filter, Select: to.Ptr("RowKey"), Top: to.Ptr(int32(min(limit, taskhub.MaxLook))), Format: to.Ptr(aztables.MetadataFormatNone),
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
