package worker

import "strings"

// room bounds how many jobs of one activity run here at the same time. It is
// guarded by the lock of its pool.
type room struct {
	most int
	// taken counts the jobs that run or have only to wait for a slot.
	taken   int
	waiting []*job
}

// take makes room for a job if there is any.
func (c *room) take() bool {
	if c.taken >= c.most {
		return false
	}
	c.taken++
	return true
}

// capOf is the cap of a job's activity, nil when it has none.
func (p *pool) capOf(j *job) *room {
	if p.w.Limit == nil || j.step != nil {
		return nil
	}
	most := p.w.Limit(j.call.Name)
	if most < 1 {
		return nil
	}
	name := strings.ToLower(j.call.Name)
	if p.caps[name] == nil {
		p.caps[name] = &room{most: most}
	}
	return p.caps[name]
}

// release gives the room of a job to the next one of its activity, which waits
// for a slot from then on.
func (p *pool) release(j *job) {
	c := j.room
	if c == nil {
		return
	}
	j.room = nil
	if len(c.waiting) == 0 {
		c.taken--
		return
	}
	next := c.waiting[0]
	c.waiting[0] = nil
	c.waiting = c.waiting[1:]
	p.queue = append(p.queue, next)
}

// under are the jobs that run under a lease.
func (p *pool) under(h *held) (out []*job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for j := range p.running {
		if j.lease == h {
			out = append(out, j)
		}
	}
	return out
}
