package supervise

import "time"

// overdue is how long after the end of its time a message is forgotten that a
// child holds by its own account: each renewal says so anew.
const overdue = time.Minute

// custody are the messages that children hold, O being a child. It has no clock
// and no I/O.
type custody[O comparable] struct {
	held map[string]*kept[O] // by id
	// loose are those of held that no child holds.
	loose map[string]*kept[O]
	swept time.Time
}

type kept[O comparable] struct {
	Message
	// instance is set for what a suspect instance is to be tried with.
	instance string
	// owner is the child that holds the message, zero where none does.
	owner O
}

func newCustody[O comparable]() *custody[O] {
	return &custody[O]{held: map[string]*kept[O]{}, loose: map[string]*kept[O]{}}
}

// hear takes a report about a message, of a child that is for the instance, or
// for everybody where that is empty.
func (c *custody[O]) hear(from O, instance string, r *report, now time.Time) {
	switch {
	case r.Held != nil:
		c.held[r.Held.ID] = &kept[O]{Message: *r.Held, instance: instance, owner: from}
		delete(c.loose, r.Held.ID)
	case r.Diverted != nil:
		k := &kept[O]{Message: r.Diverted.Message, instance: r.Diverted.Instance}
		c.held[k.ID], c.loose[k.ID] = k, k
	case r.Gone != "":
		if k := c.held[r.Gone]; k != nil && k.owner == from {
			delete(c.held, r.Gone)
		}
	}
	if now.Sub(c.swept) > overdue {
		c.swept = now
		for id, k := range c.held {
			if now.Sub(k.Until) > overdue {
				delete(c.held, id)
				delete(c.loose, id)
			}
		}
	}
}

// orphan leaves the messages of a child without an owner.
func (c *custody[O]) orphan(p O) {
	var none O
	for id, k := range c.held {
		if k.owner == p {
			k.owner = none
			c.loose[id] = k
		}
	}
}

// startUp is how much of a message's time must be left for a trial to begin with it: the
// process that tries has to start, and to renew it.
const startUp = 2 * time.Second

// has reports whether there is a message with which a trial of an instance can begin.
// One whose time is nearly over comes again through its queue.
func (c *custody[O]) has(instance string, now time.Time) bool {
	for _, k := range c.loose {
		if k.instance == instance && now.Before(k.Until.Add(-startUp)) {
			return true
		}
	}
	return false
}

// reportTime is how long the report of a renewal may be on its way.
const reportTime = time.Second

// owns reports whether a child holds a message whose time is not over: each renewal is
// reported, so that it is not the child's any more after that.
func (c *custody[O]) owns(p O, now time.Time) bool {
	for _, k := range c.held {
		if k.owner == p && now.Before(k.Until.Add(reportTime)) {
			return true
		}
	}
	return false
}

// give makes a child the owner of what no child holds and what is for it. What is
// visible to all is forgotten: it comes through its queue.
func (c *custody[O]) give(to O, isFor func(instance string) bool, now time.Time) (given []Message) {
	for id, k := range c.loose {
		switch {
		case now.After(k.Until):
			delete(c.held, id)
		case isFor(k.instance):
			k.owner = to
			given = append(given, k.Message)
		default:
			continue
		}
		delete(c.loose, id)
	}
	return given
}
