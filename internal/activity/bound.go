package activity

import "strings"

// bound limits how many runs of one activity there are at the same time. It is
// guarded by the lock of its pool.
type bound struct {
	most int
	// taken counts the runs that run or have only to wait for a slot.
	taken   int
	waiting []*Run
}

// take makes room for a run and reports whether there was any.
func (b *bound) take() bool {
	if b.taken >= b.most {
		return false
	}
	b.taken++
	return true
}

// wait puts a run behind those that wait for room.
func (b *bound) wait(r *Run) { b.waiting = append(b.waiting, r) }

// boundOf is the bound of a run's activity, nil when it has none.
func (p *Pool) boundOf(r *Run) *bound {
	if p.Limit == nil || r.Step != nil {
		return nil
	}
	most := p.Limit(r.Call.Name)
	if most < 1 {
		return nil
	}
	name := strings.ToLower(r.Call.Name)
	if p.bounds[name] == nil {
		p.bounds[name] = &bound{most: most}
	}
	return p.bounds[name]
}

// release gives the place of a run to the next one of its activity, which waits
// for a slot from then on.
func (p *Pool) release(r *Run) {
	b := r.cap
	if b == nil {
		return
	}
	r.cap = nil
	if len(b.waiting) == 0 {
		b.taken--
		return
	}
	next := b.waiting[0]
	b.waiting[0] = nil
	b.waiting = b.waiting[1:]
	p.enqueue(next)
}
