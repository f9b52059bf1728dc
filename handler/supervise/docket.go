package supervise

import (
	"sort"
	"time"
)

const (
	// suspicion is how long code stays suspect that does not come again. The
	// host may hold a message for ten minutes.
	suspicion = 30 * time.Minute
	// maxBlamed bounds what is remembered of code whose failure nobody stores.
	maxBlamed = 10_000
)

// docket is what the supervisor knows of the deaths of its children. It has no
// clock and no I/O.
type docket struct {
	crashes  int
	suspects map[string]suspect // by name
	blamed   map[string]blame   // by name
}

type suspect struct {
	crash int // the death that the code is suspected of
	since time.Time
}

type blame struct {
	reason string
	since  time.Time
}

// briefing is what a child is told at its start. Names are bytes, because keys
// need not be valid UTF-8, which JSON would change.
type briefing struct {
	Suspects [][]byte
	Blamed   []blamedCode
}

type blamedCode struct {
	Name   []byte
	Reason string
}

func newDocket() *docket {
	return &docket{suspects: map[string]suspect{}, blamed: map[string]blame{}}
}

// died takes the records of a child that died for the reason given. What was on
// trial is to blame; whatever else was suspected of the same earlier death is
// free then. When nothing was on trial, all that ran is suspect.
func (d *docket) died(records []record, reason string, now time.Time) (guilty, suspected []string) {
	d.expire(now)
	ran := map[string]bool{}
	for _, r := range records {
		switch r.state {
		case cleared:
			delete(d.suspects, r.name)
		case settled:
			delete(d.blamed, r.name)
		case trial:
			guilty = append(guilty, r.name)
		case running:
			ran[r.name] = true
		}
	}
	for _, name := range guilty {
		d.convict(name, reason, now)
	}
	if len(guilty) > 0 {
		return guilty, nil
	}
	d.crashes++
	for name := range ran {
		d.suspects[name] = suspect{crash: d.crashes, since: now}
		suspected = append(suspected, name)
	}
	sort.Strings(suspected)
	return nil, suspected
}

func (d *docket) convict(name, reason string, now time.Time) {
	explained := d.suspects[name].crash
	for other, s := range d.suspects {
		if s.crash == explained {
			delete(d.suspects, other)
		}
	}
	d.blamed[name] = blame{reason: reason, since: now}
}

func (d *docket) expire(now time.Time) {
	for name, s := range d.suspects {
		if now.Sub(s.since) > suspicion {
			delete(d.suspects, name)
		}
	}
	for len(d.blamed) > maxBlamed {
		oldest := ""
		for name, b := range d.blamed {
			if oldest == "" || b.since.Before(d.blamed[oldest].since) {
				oldest = name
			}
		}
		delete(d.blamed, oldest)
	}
}

// briefing is for the next child, in a fixed order.
func (d *docket) briefing() briefing {
	var b briefing
	for name := range d.suspects {
		b.Suspects = append(b.Suspects, []byte(name))
	}
	for name, v := range d.blamed {
		b.Blamed = append(b.Blamed, blamedCode{Name: []byte(name), Reason: v.reason})
	}
	sort.Slice(b.Suspects, func(i, k int) bool { return string(b.Suspects[i]) < string(b.Suspects[k]) })
	sort.Slice(b.Blamed, func(i, k int) bool { return string(b.Blamed[i].Name) < string(b.Blamed[k].Name) })
	return b
}
