package supervise

import (
	"slices"
	"testing"
	"time"
)

// given are the ids of what a child gets.
func given(c *custody[string], to string, now time.Time, instances ...string) (ids []string) {
	for _, m := range c.give(to, func(instance string) bool { return slices.Contains(instances, instance) }, now) {
		ids = append(ids, m.ID)
	}
	slices.Sort(ids)
	return ids
}

func TestCustody(t *testing.T) {
	now := time.Unix(1000, 0)
	held := func(id string) *report { return &report{Held: &Message{ID: id, Until: now.Add(30 * time.Second)}} }
	type says struct {
		from, instance string
		report         *report
	}
	cases := map[string]struct {
		said  []says
		dead  string
		after time.Duration
		// everybody is what a child gets that serves, a what one gets that tries a.
		everybody, a []string
	}{
		"what a child holds is its own":      {said: []says{{"s", "", held("1")}}},
		"what a dead child held is given":    {said: []says{{"s", "", held("1")}, {"s", "", held("2")}}, dead: "s", everybody: []string{"1", "2"}},
		"what it let go is not":              {said: []says{{"s", "", held("1")}, {"s", "", &report{Gone: "1"}}}, dead: "s"},
		"only who holds it can let it go":    {said: []says{{"s", "", held("1")}, {"t", "a", held("1")}, {"s", "", &report{Gone: "1"}}}, dead: "t", a: []string{"1"}},
		"what was tried with is for that":    {said: []says{{"t", "a", held("1")}}, dead: "t", a: []string{"1"}},
		"what is diverted has no owner":      {said: []says{{"s", "", held("1")}, {"s", "", &report{Diverted: &diverted{"a", *held("1").Held}}}}, a: []string{"1"}},
		"diverted for another":               {said: []says{{"s", "", &report{Diverted: &diverted{"b", *held("1").Held}}}}},
		"what is visible to all is nobody's": {said: []says{{"s", "", held("1")}}, dead: "s", after: 30*time.Second + 1},
		"the newest receipt counts":          {said: []says{{"s", "", &report{Held: &Message{ID: "1", Until: now.Add(-1)}}}, {"s", "", held("1")}}, dead: "s", everybody: []string{"1"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			kept := newCustody[string]()
			for _, s := range c.said {
				kept.hear(s.from, s.instance, s.report, now)
			}
			if c.dead != "" {
				kept.orphan(c.dead)
			}
			later := now.Add(c.after)
			if has := kept.has("a", later); has != (c.a != nil) {
				t.Errorf("there is something to try a with: %v", has)
			}
			if got := given(kept, "next", later, ""); !slices.Equal(got, c.everybody) {
				t.Errorf("the next child that serves gets %q, want %q", got, c.everybody)
			}
			if got := given(kept, "trial", later, "a"); !slices.Equal(got, c.a) {
				t.Errorf("the child that tries a gets %q, want %q", got, c.a)
			}
			if kept.owns("trial", later) != (c.a != nil) || kept.owns("next", later) != (c.everybody != nil) {
				t.Error("what was given has no owner")
			}
		})
	}
}

// What a child forgets to let go does not stay for as long as it lives.
func TestCustodyForgetsWhatIsOverdue(t *testing.T) {
	now := time.Unix(1000, 0)
	c := newCustody[string]()
	c.hear("s", "", &report{Held: &Message{ID: "1", Until: now}}, now)
	if !c.owns("s", now) || c.owns("s", now.Add(2*time.Second)) {
		t.Error("a message is held by a child until its time is over, and a moment")
	}
	now = now.Add(overdue + 1)
	c.hear("s", "", &report{Held: &Message{ID: "2", Until: now}}, now)
	if len(c.held) != 1 || c.held["2"] == nil {
		t.Errorf("%d messages are kept, want the second", len(c.held))
	}
}

// A trial that begins when the time of its message is nearly over, or after that, has
// nothing to run: others would wait for it.
func TestATrialBeginsInTime(t *testing.T) {
	now := time.Unix(1000, 0)
	c := newCustody[string]()
	c.hear("s", "", &report{Diverted: &diverted{"a", Message{ID: "1", Until: now.Add(30 * time.Second)}}}, now)
	for after, want := range map[time.Duration]bool{0: true, 27 * time.Second: true, 29 * time.Second: false, time.Minute: false} {
		if has := c.has("a", now.Add(after)); has != want {
			t.Errorf("after %v: %v", after, has)
		}
	}
}
