package simulation

import (
	"encoding/json"
	"fmt"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// ledger keeps the books of a bank, whose accounts are entities and whose transfers
// happen in critical sections: no section changes the sum of the accounts that it has
// locked, and an account changes only while it is locked. It is guarded by the lock of
// the watch.
type ledger struct {
	accounts map[string]*account
	sections map[string]*section
}

// account is an entity as its last commit has left it.
type account struct {
	amount  int
	section string // that holds the lock; empty: none does
}

// section is a critical section.
type section struct {
	// granted and released are how many locks it has had, and given back.
	granted, released int
	// change is by how much the accounts have changed that are released.
	change int
	before map[string]int // by account: what it had when the lock was granted
}

func newLedger() *ledger {
	return &ledger{accounts: map[string]*account{}, sections: map[string]*section{}}
}

// committed books a commit of an entity, and returns what is wrong with it.
func (l *ledger) committed(c *taskhub.Commit) error {
	amount, holder, err := balance(c)
	if err != nil {
		return err
	}
	a := l.accounts[c.InstanceID]
	if a == nil {
		a = &account{}
		l.accounts[c.InstanceID] = a
	}
	before := *a
	*a = account{amount, holder}
	if before.section == "" && amount != before.amount {
		return fmt.Errorf("account %s has changed from %d to %d while it was not locked", c.InstanceID, before.amount, amount)
	}
	if before.section == holder {
		return nil
	}
	if s := l.sections[before.section]; s != nil {
		s.released++
		s.change += amount - s.before[c.InstanceID]
		if s.released == s.granted && s.change != 0 {
			return fmt.Errorf("section %s has changed the sum of its %d accounts by %d", before.section, s.granted, s.change)
		}
	}
	if holder == "" {
		return nil
	}
	s := l.sections[holder]
	if s == nil {
		s = &section{before: map[string]int{}}
		l.sections[holder] = s
	}
	s.granted++
	s.before[c.InstanceID] = amount
	if s.released > 0 {
		return fmt.Errorf("section %s gets the lock of %s after it has released another one", holder, c.InstanceID)
	}
	return nil
}

// balance is the state of an account that a commit stores, and which section holds its
// lock.
func balance(c *taskhub.Commit) (amount int, holder string, err error) {
	for _, e := range c.Events {
		if e.Type != history.ExecutionStarted {
			continue
		}
		state, err := history.DecodeEntityState(e.Input)
		if err != nil {
			return 0, "", err
		}
		if state.State != nil {
			if err := json.Unmarshal(state.State, &amount); err != nil {
				return 0, "", fmt.Errorf("account %s: %w", c.InstanceID, err)
			}
		}
		var beside struct{ Lock struct{ ID string } }
		if err := json.Unmarshal(e.Own.Options, &beside); err != nil {
			return 0, "", fmt.Errorf("account %s: %w", c.InstanceID, err)
		}
		return amount, beside.Lock.ID, nil
	}
	return 0, "", fmt.Errorf("a commit of %s without a state", c.InstanceID)
}

// end is what is wrong with the books when all is over.
func (l *ledger) end() (wrong []error) {
	sum := 0
	for _, a := range l.accounts {
		sum += a.amount
	}
	if sum != 0 {
		wrong = append(wrong, fmt.Errorf("the sum of all accounts is %d", sum))
	}
	for id, s := range l.sections {
		if s.granted != s.released {
			wrong = append(wrong, fmt.Errorf("section %s holds %d locks", id, s.granted-s.released))
		}
	}
	return wrong
}
