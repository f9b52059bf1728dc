// Package management is the HTTP API of a task hub: the paths, payloads and
// status codes of the official Durable Functions extension, behind two doors.
// The operators' door relies on the function key that the host checks; the
// links' door opens to signed URLs only.
package management

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

// How long keys are used before they are read again; how soon a signature by a
// key that is not known, or a read that failed, makes them be read again; how
// long they are good while they cannot be read; how long a read may take.
const (
	refreshKeys = 5 * time.Minute
	rereadKeys  = 10 * time.Second
	staleKeys   = time.Hour
	readWithin  = 10 * time.Second
)

// leastSecret is the shortest secret that signs, in bytes: as long as the
// signature.
const leastSecret = 32

// Keys sign and check capability URLs of one hub. They are made where there are
// none. Another process may rotate them: they are read again every five minutes,
// and when a link is signed with a key that is not known. While storage does not
// answer, those that were read within the last hour are used. They may be used
// concurrently.
type Keys struct {
	store taskhub.Store
	hub   string
	now   func() time.Time

	mu   sync.Mutex // guards the rest; not held while keys are read
	keys []signingKey
	// due is when keys are read again, tried when they were last, known when they
	// last were.
	due, tried, known time.Time
	// reading is the read under way, nil when there is none.
	reading *keyRead
	// generation counts what made reads that had begun before it worthless.
	generation int
}

// keyRead is one read that all who need keys wait for.
type keyRead struct {
	done chan struct{} // closed when err is set
	err  error
}

type signingKey struct {
	ID     string `json:"id"`
	Secret []byte `json:"secret"`
	// Until is when a key that was replaced is of no use any more; zero for the
	// one that signs.
	Until time.Time `json:"until,omitzero"`
}

// keyFile is the form of the secret: the first key signs, all of them check.
type keyFile struct {
	Keys []signingKey `json:"keys"`
}

// secretName is the blob of the keys.
const secretName = "keys.json"

// NewKeys returns the keys of a hub.
func NewKeys(store taskhub.Store, hub string, now func() time.Time) *Keys {
	return &Keys{store: store, hub: hub, now: now}
}

// load returns the keys, with the named one among them if there is one of that
// id; empty: any. It waits for a read no longer than ctx, and the read goes on
// for those who wait longer.
func (k *Keys) load(ctx context.Context, id string) ([]signingKey, error) {
	k.mu.Lock()
	if k.fresh(id) {
		defer k.mu.Unlock()
		return k.keys, nil
	}
	flight := k.reading
	if flight == nil {
		flight = &keyRead{done: make(chan struct{})}
		k.reading, k.tried = flight, k.now()
		go k.refresh(context.WithoutCancel(ctx), flight, k.generation)
	}
	k.mu.Unlock()
	select {
	case <-flight.done:
	case <-ctx.Done():
		return nil, fmt.Errorf("reading the signing keys of task hub %q: %w", k.hub, ctx.Err())
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if flight.err != nil && (k.keys == nil || k.now().Sub(k.known) > staleKeys) {
		return nil, flight.err
	}
	return k.keys, nil
}

// fresh reports whether no read is needed.
func (k *Keys) fresh(id string) bool {
	now := k.now()
	unknown := id != "" && !slices.ContainsFunc(k.keys, func(key signingKey) bool { return key.ID == id })
	return k.keys != nil && now.Before(k.due) && now.Sub(k.known) <= staleKeys && (!unknown || now.Sub(k.tried) < rereadKeys)
}

// refresh reads the keys for all who wait.
func (k *Keys) refresh(ctx context.Context, flight *keyRead, generation int) {
	ctx, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	_, keys, err := k.read(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	switch {
	case err != nil:
		// Those that are known are good enough for a while.
		k.due = now.Add(rereadKeys)
	case generation == k.generation:
		k.keys, k.due, k.known = keys, now.Add(refreshKeys), now
	case k.keys == nil:
		// They were replaced meanwhile: good for those who wait, read again next.
		k.keys, k.due, k.known = keys, now, now
	}
	flight.err, k.reading = err, nil
	close(flight.done)
}

// read reads the stored keys, and makes the first one.
func (k *Keys) read(ctx context.Context) (raw []byte, keys []signingKey, err error) {
	initial, err := json.Marshal(keyFile{Keys: []signingKey{freshKey()}})
	if err != nil {
		return nil, nil, err
	}
	raw, err = k.store.Secrets(ctx, secretName, initial)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the signing keys of task hub %q: %w", k.hub, err)
	}
	var file keyFile
	if err := json.Unmarshal(raw, &file); err != nil || len(file.Keys) == 0 {
		return nil, nil, k.unusable("cannot be read")
	}
	if slices.ContainsFunc(file.Keys, func(key signingKey) bool { return len(key.Secret) < leastSecret }) {
		return nil, nil, k.unusable(fmt.Sprintf("have one of less than %d bytes", leastSecret))
	}
	return raw, file.Keys, nil
}

// errKeys means that the file of the keys is of no use.
var errKeys = errors.New("delete blob keys.json to make new ones")

func (k *Keys) unusable(why string) error {
	return fmt.Errorf("the signing keys of task hub %q %s: %w", k.hub, why, errKeys)
}

func freshKey() signingKey {
	key := signingKey{ID: taskhub.NewID()[:8], Secret: make([]byte, leastSecret)}
	// Read never fails: the program ends where the system has no randomness.
	_, _ = rand.Read(key.Secret)
	return key
}
