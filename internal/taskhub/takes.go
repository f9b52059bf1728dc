package taskhub

import "fmt"

// Take is an inbox row that leaves with a commit.
type Take struct {
	// Key is that of the row.
	Key string
	// Event is the place in Commit.Events of the event that takes the row in: the
	// transaction that writes it takes the row out. -1: the row is dropped, with
	// the first transaction while that has room.
	Event int
}

// MaxUnits is how many operations a transaction of a commit has beside the one
// on the sentinel.
const MaxUnits = 99

// Unit is a part of a commit that stays in one transaction: an event with the
// rows that it takes in, or a row that is dropped.
type Unit struct {
	// Event is the place of the event, -1 for a row that is dropped.
	Event int
	// Takes are the keys of the rows.
	Takes []string
	// Answers are written with it.
	Answers []Answer
}

// Operations is how many operations the unit needs.
func (u *Unit) Operations() int { return len(u.Takes) + len(u.Answers) + boolInt(u.Event >= 0) }

// Units takes a commit apart, in the order in which it is applied: dropped rows,
// then the events. Stores call it. ErrRefused when Takes cannot be, or when no
// history row can keep an event.
func (c *Commit) Units() ([]Unit, error) {
	takes := make(map[int][]string, len(c.Takes))
	seen := make(map[string]bool, len(c.Takes))
	units := make([]Unit, 0, len(c.Events)+len(c.Takes))
	for _, t := range c.Takes {
		_, err := parseKey(t.Key)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w: %w", ErrRefused, err)
		case t.Event < -1 || t.Event >= len(c.Events):
			return nil, fmt.Errorf("%w: a row is taken by event %d of %d", ErrRefused, t.Event, len(c.Events))
		case seen[t.Key]:
			return nil, fmt.Errorf("%w: row %s is taken twice", ErrRefused, t.Key)
		}
		seen[t.Key] = true
		if t.Event < 0 {
			units = append(units, Unit{Event: -1, Takes: []string{t.Key}})
		} else {
			takes[t.Event] = append(takes[t.Event], t.Key)
		}
	}
	for i, e := range c.Events {
		if err := checkEvent(e); err != nil {
			return nil, err
		}
		u := Unit{Event: i, Takes: takes[i]}
		if i == len(c.Events)-1 {
			u.Answers = c.Answers
		}
		if u.Operations() > MaxUnits {
			return nil, fmt.Errorf("%w: event %d takes %d rows and answers %d", ErrRefused, i, len(u.Takes), len(u.Answers))
		}
		units = append(units, u)
	}
	return units, nil
}
