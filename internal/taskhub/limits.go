package taskhub

import (
	"fmt"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// checkTime refuses a time that no table keeps.
func checkTime(name string, t time.Time) error {
	if err := history.CheckTime("the "+name, t); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return nil
}

// MaxText is the longest text that a column of a table keeps, in UTF-16 units.
const MaxText = 32 << 10

// checkColumn refuses a name that does not fit a column of a table. Payloads have
// other places where they do not fit; names have none.
func checkColumn(name, text string) error {
	if len(text) > MaxText && history.UTF16Len(text) > MaxText {
		return fmt.Errorf("%w: %w: the %s has more than %d characters", ErrRefused, ErrTooLarge, name, MaxText)
	}
	return nil
}

// first is the first error.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkEvent finds what no history row can keep: ErrRefused.
func checkEvent(e *history.Event) error {
	err := first(checkTime("timestamp", e.Timestamp), checkColumn("name", e.Name), checkColumn("version", e.Version), checkColumn("instance id", e.InstanceID))
	switch {
	case err != nil:
	case e.Type == history.TimerCreated || e.Type == history.TimerFired:
		err = checkTime("due time", e.FireAt)
	case !e.ScheduledStart.IsZero():
		err = checkTime("scheduled start", e.ScheduledStart)
	}
	if err != nil {
		return fmt.Errorf("%v: %w", e.Type, err)
	}
	return nil
}

// Check finds what no instance row can keep: ErrRefused. Stores call it. Times
// that are zero are not kept.
func (i *Instance) Check() error {
	if err := checkTimes(map[string]*time.Time{"created": &i.Created, "updated": &i.Updated, "completed": &i.Completed, "scheduled": &i.Scheduled}); err != nil {
		return err
	}
	return first(checkColumn("name", i.Name), checkColumn("version", i.Version), checkColumn("custom status", string(i.CustomStatus)), checkColumn("reason", i.Parked), checkColumn("backlog", i.Backlog))
}

// Check finds what no instance row can keep: ErrRefused. Stores call it.
func (c *Change) Check() error {
	if err := checkTimes(map[string]*time.Time{"created": c.Created, "updated": &c.Updated, "completed": c.Completed}); err != nil {
		return err
	}
	for name, text := range map[string]*string{"name": c.Name, "version": c.Version, "reason": c.Parked, "backlog": c.Backlog} {
		if text == nil {
			continue
		}
		if err := checkColumn(name, *text); err != nil {
			return err
		}
	}
	if c.CustomStatus != nil {
		return checkColumn("custom status", string(*c.CustomStatus))
	}
	return nil
}

func checkTimes(times map[string]*time.Time) error {
	for name, t := range times {
		if t == nil || t.IsZero() {
			continue
		}
		if err := checkTime(name+" time", *t); err != nil {
			return err
		}
	}
	return nil
}
