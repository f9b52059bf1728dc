package supervise

import (
	"fmt"
	"reflect"
	"testing"
	"time"
)

// death is one child: what its journal held, and what the next one is told.
type death struct {
	records  []record
	after    time.Duration
	suspects []string
	blamed   []string // "name: reason"
}

func TestDocket(t *testing.T) {
	cases := map[string][]death{
		"nothing ran": {{}},
		"all that ran is suspect": {
			{records: []record{{running, "a"}, {running, "b"}, {running, "a"}}, suspects: []string{"a", "b"}},
		},
		"a second death alone is proof": {
			{records: []record{{running, "a"}, {running, "b"}}, suspects: []string{"a", "b"}},
			{records: []record{{trial, "a"}, {running, "c"}}, blamed: []string{"a: death 2"}},
		},
		"what was cleared is suspect of its next death only": {
			{records: []record{{running, "a"}, {running, "b"}}, suspects: []string{"a", "b"}},
			{records: []record{{cleared, "a"}, {running, "c"}}, suspects: []string{"b", "c"}},
			{records: []record{{cleared, "c"}, {running, "c"}, {cleared, "b"}}, suspects: []string{"c"}},
		},
		"blame explains one death and no other": {
			{records: []record{{running, "a"}, {running, "b"}}, suspects: []string{"a", "b"}},
			{records: []record{{running, "c"}, {running, "d"}}, suspects: []string{"a", "b", "c", "d"}},
			{records: []record{{trial, "c"}}, suspects: []string{"a", "b"}, blamed: []string{"c: death 3"}},
		},
		"settled blame is forgotten": {
			{records: []record{{running, "a"}}, suspects: []string{"a"}},
			{records: []record{{trial, "a"}}, blamed: []string{"a: death 2"}},
			{records: []record{{settled, "a"}}},
		},
		"blame lasts until it is settled": {
			{records: []record{{running, "a"}}, suspects: []string{"a"}},
			{records: []record{{trial, "a"}}, blamed: []string{"a: death 2"}},
			{records: []record{{running, "b"}}, after: time.Hour, suspects: []string{"b"}, blamed: []string{"a: death 2"}},
		},
		"suspicion fades": {
			{records: []record{{running, "a"}}, suspects: []string{"a"}},
			{records: []record{{running, "b"}}, after: suspicion + 1, suspects: []string{"b"}},
		},
		"a late trial without a known death blames it alone": {
			{records: []record{{running, "b"}}, suspects: []string{"b"}},
			{records: []record{{trial, "a"}}, suspects: []string{"b"}, blamed: []string{"a: death 2"}},
		},
	}
	for name, deaths := range cases {
		t.Run(name, func(t *testing.T) {
			d, now := newDocket(), time.Unix(0, 0)
			for i, step := range deaths {
				now = now.Add(step.after)
				d.died(step.records, fmt.Sprint("death ", i+1), now)
				var suspects, blamed []string
				told := d.briefing()
				for _, name := range told.Suspects {
					suspects = append(suspects, string(name))
				}
				for _, v := range told.Blamed {
					blamed = append(blamed, string(v.Name)+": "+v.Reason)
				}
				if !reflect.DeepEqual(suspects, step.suspects) || !reflect.DeepEqual(blamed, step.blamed) {
					t.Fatalf("after death %d: suspects %q, blamed %q; want %q, %q", i+1, suspects, blamed, step.suspects, step.blamed)
				}
			}
		})
	}
}

func TestDocketForgetsTheOldestBlame(t *testing.T) {
	d := newDocket()
	for i := range maxBlamed + 2 {
		d.died([]record{{trial, fmt.Sprint(i)}}, "exit code 1", time.Unix(int64(i), 0))
	}
	d.died(nil, "exit code 1", time.Unix(maxBlamed+2, 0))
	if _, known := d.blamed["1"]; known || len(d.blamed) != maxBlamed {
		t.Errorf("%d blames are kept, the second oldest among them: %v; want %d without it", len(d.blamed), known, maxBlamed)
	}
}
