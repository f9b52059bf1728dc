package supervise

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"sync"
	"time"
)

// The journal's memory is an array of slots. The first byte of a slot says what
// it holds, the second how long the key is.
const (
	slotSize  = 256
	slotCount = 4096
	slotHead  = 2
	maxKey    = slotSize - slotHead

	slotFree    = 0
	slotRunning = 1
	slotTrial   = 2
)

// Deliveries of a message from which on, without a supervisor, its code runs
// alone, and at which it is given up.
const (
	aloneFrom = 3
	blameAt   = 10
)

// trialTime bounds a trial: code that runs longer did not end the process at
// once, and is cleared.
const trialTime = 10 * time.Second

// BlamedError says that code must not run because it ended the process.
type BlamedError struct {
	Key    string
	Reason string
}

func (e *BlamedError) Error() string { return "this code ended the process: " + e.Reason }

// BlameReason is how the process ended.
func (e *BlamedError) BlameReason() string { return e.Reason }

// crash is what a child must know of the deaths of those before it.
type crash struct {
	Suspects []string          `json:"suspects,omitempty"`
	Blamed   map[string]string `json:"blamed,omitempty"`
}

// Journal notes what user code runs. It may be used concurrently.
type Journal struct {
	// memory is shared with the supervisor; nil without one.
	memory []byte
	report *os.File
	// trial is taken by the suspect that runs.
	trial chan struct{}

	mu       sync.Mutex // guards the rest, and the slots of this process
	free     []int
	suspects map[string]bool
	blamed   map[string]string
}

func newJournal(memory []byte, c crash) *Journal {
	j := &Journal{memory: memory, trial: make(chan struct{}, 1), suspects: map[string]bool{}, blamed: map[string]string{}}
	for n := len(memory)/slotSize - 1; n >= 0; n-- {
		j.free = append(j.free, n)
	}
	for _, key := range c.Suspects {
		j.suspects[key] = true
	}
	for key, reason := range c.Blamed {
		j.blamed[key] = reason
	}
	return j
}

// fit shortens keys that are longer than a slot, without making two equal.
func fit(key string) string {
	if len(key) <= maxKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return key[:maxKey-64] + hex.EncodeToString(sum[:])
}

// Enter is called before the user code named by key runs, and leave after it.
// Code that is suspected of having ended the process waits until no other
// suspect runs. dequeued is the delivery count of the message behind the code,
// 0 when there is none. The error is a *BlamedError when the code must not run,
// or that of ctx.
func (j *Journal) Enter(ctx context.Context, key string, dequeued int) (leave func(), err error) {
	key = fit(key)
	j.mu.Lock()
	reason, blamed := j.blamed[key]
	suspect := j.suspects[key] || j.memory == nil && dequeued >= aloneFrom
	if !blamed && dequeued >= blameAt {
		reason, blamed = fmt.Sprintf("its message was delivered %d times", dequeued), true
	}
	if !blamed && !suspect {
		slot := j.write(key, slotRunning)
		j.mu.Unlock()
		return func() { j.clear(slot) }, nil
	}
	j.mu.Unlock()
	if blamed {
		return nil, &BlamedError{Key: key, Reason: reason}
	}
	return j.enterTrial(ctx, key)
}

func (j *Journal) enterTrial(ctx context.Context, key string) (leave func(), err error) {
	select {
	case j.trial <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	j.mu.Lock()
	slot := j.write(key, slotTrial)
	j.mu.Unlock()
	var once sync.Once
	end := func() {
		once.Do(func() {
			j.mu.Lock()
			delete(j.suspects, key)
			if slot >= 0 {
				j.memory[slot*slotSize] = slotRunning
			}
			j.mu.Unlock()
			<-j.trial
		})
	}
	timer := time.AfterFunc(trialTime, end)
	return func() {
		timer.Stop()
		end()
		j.clear(slot)
	}, nil
}

// write takes a slot; -1 when there is none, and the code runs unknown. The
// state is written last: the process may end between any two bytes. The caller
// holds the lock.
func (j *Journal) write(key string, state byte) int {
	if len(j.free) == 0 {
		return -1
	}
	slot := j.free[len(j.free)-1]
	j.free = j.free[:len(j.free)-1]
	memory := j.memory[slot*slotSize : (slot+1)*slotSize]
	memory[1] = byte(len(key))
	copy(memory[slotHead:], key)
	memory[0] = state
	return slot
}

func (j *Journal) clear(slot int) {
	if slot < 0 {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.memory[slot*slotSize] = slotFree
	j.free = append(j.free, slot)
}

// Settle forgets the blame of code whose failure is stored: it will not be
// asked for again.
func (j *Journal) Settle(key string) {
	key = fit(key)
	j.mu.Lock()
	_, blamed := j.blamed[key]
	delete(j.blamed, key)
	j.mu.Unlock()
	if blamed && j.report != nil {
		_, _ = j.report.WriteString("settle " + key + "\n")
	}
}

// readSlots returns the keys that ran when the process ended, those on trial
// apart, and clears the memory for the next one.
func readSlots(memory []byte) (running, trial []string) {
	for ; len(memory) >= slotSize; memory = memory[slotSize:] {
		key := string(bytes.Clone(memory[slotHead : slotHead+min(int(memory[1]), maxKey)]))
		switch memory[0] {
		case slotRunning:
			running = append(running, key)
		case slotTrial:
			trial = append(trial, key)
		}
		memory[0] = slotFree
	}
	return running, trial
}
