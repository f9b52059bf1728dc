// Package device is the entity Device, which aggregates what a device measures.
package device

import (
	"errors"
	"math"

	"github.com/durable-go/functions/durable"
	alarm "github.com/durable-go/functions/samples/entity/Alarm"
)

// tooHot is from how many degrees on there is an alarm.
const tooHot = 80

// State is what is known of a device.
type State struct {
	Count int     `json:"count"`
	Sum   float64 `json:"sum"`
	Max   float64 `json:"max"`
	// Alarmed means that there was an alarm since it was cool last.
	Alarmed bool `json:"alarmed"`
}

// Summary is what clients see of a device.
type Summary struct {
	Count   int     `json:"count"`
	Average float64 `json:"average"`
	Max     float64 `json:"max"`
}

// add counts a reading. The alarm is started when the reading is stored, and once: an
// operation that fails, or whose process dies, has started nothing.
func (s *State) add(ctx *durable.EntityContext, degrees float64) error {
	if math.IsNaN(degrees) || math.IsInf(degrees, 0) {
		return errors.New("not a temperature")
	}
	s.Count++
	s.Sum += degrees
	s.Max = max(s.Max, degrees)
	if degrees < tooHot {
		s.Alarmed = false
		return nil
	}
	if s.Alarmed {
		return nil
	}
	s.Alarmed = true
	_, err := alarm.Orchestrator.StartFrom(ctx, alarm.Heat{Device: ctx.Key(), Degrees: degrees})
	return err
}

func (s State) summary(durable.None) (Summary, error) {
	if s.Count == 0 {
		return Summary{}, nil
	}
	return Summary{Count: s.Count, Average: s.Sum / float64(s.Count), Max: s.Max}, nil
}

var (
	// Entity is the kind; its keys are the ids of the devices.
	Entity = durable.NewEntity[State]("Device")
	// Add counts a reading, in degrees.
	Add = durable.NewCommand(Entity, "Add", (*State).add)
	// Read is the summary of a device.
	Read = durable.NewView(Entity, "Summary", State.summary)
)
