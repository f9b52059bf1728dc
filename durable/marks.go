package durable

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"sync"
	"time"

	"github.com/durable-go/functions/handler/supervise"
	"github.com/durable-go/functions/internal/taskhub"
)

const (
	// marksName is where an app marks in its hub what code is suspected to end the
	// process, so that its other instances do not find that out anew.
	marksName = "suspects.json"
	// marksLast is how long a mark counts that its process does not take back.
	marksLast = 30 * time.Minute
	// marksFresh is how long what was read counts.
	marksFresh = 5 * time.Second
	// marksWait bounds how long the first work of a process waits for its marks.
	marksWait = 5 * time.Second
	// maxMarks bounds the blob.
	maxMarks = 500
)

// mark is code that is suspect to a process of the app.
type mark struct {
	supervise.Suspect
	// Owner has marked it, and takes the mark back.
	Owner string
	Since time.Time
}

// hubMarks are those in the hub. They may be used concurrently.
type hubMarks struct {
	store   taskhub.Store
	journal suspecting
	log     *slog.Logger
	now     func() time.Time
	// owner names the supervisor of this process.
	owner string

	mu sync.Mutex // guards the rest
	// known are the deaths of what this process has marked, or learnt from a mark.
	known map[supervise.Code]int
	read  time.Time // when they were read last
}

// suspecting is what the marks need of the journal.
type suspecting interface {
	Suspects() (suspects []supervise.Suspect, changed <-chan struct{})
	Accuse(supervise.Suspect)
}

func newMarks(store taskhub.Store, j suspecting, log *slog.Logger) *hubMarks {
	host, _ := os.Hostname()
	return &hubMarks{
		store: store, journal: j, log: log, now: time.Now,
		owner: fmt.Sprintf("%s %d", host, os.Getppid()), known: map[supervise.Code]int{},
	}
}

// keep brings the marks up to date whenever the suspects are others, until ctx
// ends.
func (m *hubMarks) keep(ctx context.Context) {
	for ctx.Err() == nil {
		_, changed := m.journal.Suspects()
		m.show(ctx)
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// show brings the marks up to date. Work may wait for it, but not for long.
func (m *hubMarks) show(ctx context.Context) {
	bound, cancel := context.WithTimeout(ctx, marksWait)
	defer cancel()
	if err := m.update(bound); err != nil && ctx.Err() == nil {
		m.log.Warn("the hub does not show what code is suspect: other instances of the app find out for themselves", "error", err)
	}
}

// update writes what is different about this process's suspects. It makes no
// request where nothing is.
func (m *hubMarks) update(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	suspects, _ := m.journal.Suspects()
	wanted := map[supervise.Code]int{}
	for _, s := range suspects {
		wanted[s.Code] = s.Deaths
	}
	if maps.Equal(wanted, m.known) {
		return nil
	}
	for try := 0; ; try++ {
		old, list, err := m.load(ctx)
		if err != nil {
			return err
		}
		list = m.merge(list, suspects)
		raw, err := json.Marshal(list)
		if err == nil && !bytes.Equal(raw, old) {
			err = m.store.ReplaceSecret(ctx, marksName, old, raw)
		}
		if err == nil {
			m.known = wanted
			return nil
		}
		if !errors.Is(err, taskhub.ErrChanged) || try == 5 {
			return fmt.Errorf("marking suspect code: %w", err)
		}
	}
}

// merge is what the marks are after this process has marked its suspects and
// taken back what is none any more.
func (m *hubMarks) merge(list []mark, suspects []supervise.Suspect) []mark {
	merged, wanted := []mark{}, map[supervise.Code]int{}
	for _, s := range suspects {
		wanted[s.Code] = s.Deaths
	}
	for _, old := range list {
		deaths, suspect := wanted[old.Code]
		delete(wanted, old.Code)
		switch {
		case suspect:
			old.Deaths, old.Since = max(old.Deaths, deaths), m.now()
		case old.Owner == m.owner || m.known[old.Code] > 0 || m.now().Sub(old.Since) > marksLast:
			continue
		}
		merged = append(merged, old)
	}
	for _, s := range suspects {
		if _, missing := wanted[s.Code]; missing {
			merged = append(merged, mark{Suspect: s, Owner: m.owner, Since: m.now()})
		}
	}
	return merged[max(0, len(merged)-maxMarks):]
}

func (m *hubMarks) load(ctx context.Context) (raw []byte, list []mark, err error) {
	raw, err = m.store.Secrets(ctx, marksName, []byte("[]"))
	if err != nil {
		return nil, nil, fmt.Errorf("reading which code is suspect: %w", err)
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		m.log.Warn("the list of suspect code in the hub cannot be read and begins anew", "error", err)
	}
	return raw, list, nil
}

// learn looks what other instances of the app suspect of an instance whose
// message came again: they may have died of it.
func (m *hubMarks) learn(ctx context.Context, instance string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.now().Sub(m.read) < marksFresh {
		return
	}
	_, list, err := m.load(ctx)
	if err != nil {
		m.log.Warn("message came again, and it is unknown whether its code is suspect elsewhere", "instance", instance, "error", err)
		return
	}
	m.read = m.now()
	for _, mark := range list {
		if m.now().Sub(mark.Since) <= marksLast && m.known[mark.Code] == 0 {
			m.known[mark.Code] = mark.Deaths
			m.journal.Accuse(mark.Suspect)
		}
	}
}
