package client

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"time"
)

// A start whose outcome is unknown may have been stored, so that its repetition by the
// caller would find the id taken.
const (
	// unsureLasts is how long such a start is remembered, maxUnsure how many are.
	unsureLasts = 10 * time.Minute
	maxUnsure   = 1000
)

// unsure remembers the starts of this process whose outcome is unknown. It may be used
// concurrently.
type unsure struct {
	mu     sync.Mutex // guards starts
	starts map[string]unsureStart
}

type unsureStart struct {
	Start
	at time.Time
}

// same returns the execution id of an earlier try of the start; "" where none is known.
func (u *unsure) same(s *Start, now time.Time) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	have, known := u.starts[s.InstanceID]
	if !known || now.Sub(have.at) > unsureLasts || !strings.EqualFold(have.Name, s.Name) || have.Version != s.Version || !have.At.Equal(s.At) || !bytes.Equal(have.Input, s.Input) {
		return ""
	}
	return have.ExecutionID
}

// note remembers a start whose outcome is unknown, and forgets one whose is known.
func (u *unsure) note(s Start, err error, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if err == nil || isFinal(err) || errors.Is(err, ErrRunning) || errors.Is(err, ErrExists) {
		delete(u.starts, s.InstanceID)
		return
	}
	if u.starts == nil {
		u.starts = map[string]unsureStart{}
	}
	for id, old := range u.starts {
		if now.Sub(old.at) > unsureLasts || len(u.starts) >= maxUnsure {
			delete(u.starts, id)
		}
	}
	u.starts[s.InstanceID] = unsureStart{s, now}
}
