package entity

import (
	"errors"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// lock is whose the entity is.
type lock struct {
	// ID is that of the critical section.
	ID string `json:"id"`
	// Owner and Execution are the orchestration and its execution.
	Owner     string    `json:"owner"`
	Execution string    `json:"execution"`
	Since     time.Time `json:"since"`
}

func (l *lock) shown() *Lock {
	return &Lock{Section: l.ID, Owner: l.Owner, Execution: l.Execution, Since: l.Since}
}

// kind is what is done about a row of the inbox.
type kind int

const (
	// runs: the row is an operation to run.
	runs kind = iota
	// grants: the row asks for the lock, and gets it.
	grants
	// releases: the row ends the lock that is held.
	releases
	// loses: the row is an operation of a critical section that holds the lock no more.
	loses
	// drops: the row means nothing (any more).
	drops
)

// step is one row that the next commit takes in.
type step struct {
	kind    kind
	row     *taskhub.InboxRow
	request *history.EntityRequest // of runs, grants and loses
	section string                 // of releases: whose lock ends
	problem string                 // of drops, where it is worth a log line
}

// operations is how many operations of a transaction the step needs.
func (s *step) operations() int {
	if s.request != nil && s.request.Client {
		return 2
	}
	return 1
}

// plan is what the next commit takes in, in this order, and what is to be known of the
// rest.
type plan struct {
	steps []step
	// waiting is how many rows wait for the lock; blocked that a row cannot be read now.
	waiting int
	blocked bool
}

// planned decides about the rows of a look, which were read by stepsOf. held is the
// lock, nil when the entity is free; all reports whether the look has seen all
// rows. Rows that are not in the plan stay in the inbox.
func planned(held *lock, rows []step, all bool) plan { //nolint:gocognit // the rules of a batch stand together
	var p plan
	voided := map[string]bool{}
	free := held == nil
	section := ""
	if held != nil {
		section = held.ID
	}
	var pending []step // releases of locks that are not held
	for _, s := range rows {
		if errors.Is(s.row.Err, taskhub.ErrUnread) {
			p.blocked = true
			break // what comes after it waits for it
		}
		switch r := s.request; {
		case s.kind == drops:
		case s.kind == releases && !free && s.section == section:
			free, section = true, ""
		case s.kind == releases:
			voided[s.section] = true
			pending = append(pending, s)
			continue
		case r.IsLock() && (voided[r.ID] || r.ID == section):
			s.kind = drops
			delete(voided, r.ID)
		case r.Section != "" && (free || r.Section != section):
			s.kind = loses
		case r.Section == "" && !free:
			p.waiting++
			continue
		case r.IsLock():
			s.kind = grants
			free, section = false, r.ID
		}
		p.steps = append(p.steps, s)
	}
	for _, s := range pending {
		// It stays until the request that it voids has been seen, if that is there.
		if all && !p.blocked || !voided[s.section] {
			p.steps = append(p.steps, step{kind: drops, row: s.row})
		}
	}
	return p
}

// stepsOf reads the rows of a look: once, as a long backlog is planned anew with each
// commit.
func stepsOf(rows []*taskhub.InboxRow) []step {
	steps := make([]step, len(rows))
	for i, row := range rows {
		steps[i] = stepOf(row)
	}
	return steps
}

// stepOf reads a row: an operation runs, whatever it is, a release releases, and what
// cannot be read is dropped.
func stepOf(row *taskhub.InboxRow) step {
	if row.Err != nil {
		return step{kind: drops, row: row, problem: row.Err.Error()}
	}
	e := row.Telling.Event
	if e.Name == history.EntityRelease {
		r, err := history.DecodeEntityRelease(e.Input)
		if err != nil {
			return step{kind: drops, row: row, problem: err.Error()}
		}
		return step{kind: releases, row: row, section: r.ID}
	}
	if e.Type != history.EventRaised || e.Name != history.EntityOperation {
		return step{kind: drops, row: row, problem: "it is no operation but " + e.Type.String() + " " + e.Name}
	}
	r, err := history.DecodeEntityRequest(e.Input)
	if err != nil {
		return step{kind: drops, row: row, problem: err.Error()}
	}
	return step{kind: runs, row: row, request: r}
}

// first are the steps that one commit can take, at most so many.
func first(steps []step, most int) []step {
	operations := 0
	for i := range steps {
		if operations += steps[i].operations(); i == most || operations > maxOperations {
			return steps[:i]
		}
	}
	return steps
}
