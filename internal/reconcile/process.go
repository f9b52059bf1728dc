package reconcile

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// About is what a process tells of itself to people.
type About struct {
	// Host is the machine, ID the process there.
	Host string `json:"host,omitempty"`
	ID   int    `json:"id,omitempty"`
	// App is the version of the program, Module that of this module, Version that of new
	// orchestrations; empty: there is none.
	App     string `json:"app,omitempty"`
	Module  string `json:"module,omitempty"`
	Version string `json:"version,omitempty"`
	// TurnSlots and ActivitySlots are how many turns and activities run at the same time.
	TurnSlots     int       `json:"turnSlots,omitempty"`
	ActivitySlots int       `json:"activitySlots,omitempty"`
	Started       time.Time `json:"started,omitzero"`
}

// Process is one that has noted what it works on.
type Process struct {
	Name string `json:"name"`
	About
	// Instances is how many it worked on at the time Seen, by its own clock.
	Instances int       `json:"instances"`
	Seen      time.Time `json:"seen,omitzero"`
}

// maxProcesses is how many processes ReadProcesses reads.
const maxProcesses = 100

// ReadProcesses reads which processes have worked on the hub lately, those that were
// seen last first, with a request for each and one more. A process that had nothing to do for
// twenty minutes may not be among them, and one that has ended may be for as long.
func ReadProcesses(ctx context.Context, store Blobs) ([]Process, error) {
	b := blob[board]{name: boardName}
	known, err := b.read(ctx, store)
	if err != nil {
		return nil, err
	}
	var slots []int
	for i, process := range known.Slots {
		if process != "" && len(slots) < maxProcesses {
			slots = append(slots, i)
		}
	}
	found := make([]Process, len(slots))
	err = cmp.Or(all(len(slots), func(i int) error {
		n := blob[note]{name: noteName(slots[i])}
		value, err := n.read(ctx, store)
		found[i] = Process{Name: known.Slots[slots[i]], About: value.About, Instances: len(value.Instances), Seen: value.At}
		if value.Process != found[i].Name { // what the slot's last process has noted
			found[i] = Process{Name: found[i].Name}
		}
		return err
	})...)
	slices.SortFunc(found, func(a, b Process) int {
		return cmp.Or(b.Seen.Compare(a.Seen), cmp.Compare(a.Name, b.Name))
	})
	return found, err
}
