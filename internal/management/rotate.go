package management

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

// Rotation is what a rotation has done.
type Rotation struct {
	// New is the id of the key that signs from now on, Old that of the one that
	// did, which checks links until Until.
	New, Old string
	Until    time.Time
}

// rotateTries bounds how often a rotation begins anew because of another one.
const rotateTries = 5

// Rotate makes a new key. Links that were signed with older ones are good for the
// grace time at most. Processes that run sign with the new key within five minutes,
// and take the older ones for at most as long after the grace time.
func (k *Keys) Rotate(ctx context.Context, grace time.Duration) (Rotation, error) {
	if grace < 0 {
		return Rotation{}, fmt.Errorf("a grace time of %v makes no sense: it must not be below 0", grace)
	}
	for try := 1; ; try++ {
		raw, keys, err := k.read(ctx)
		if err != nil {
			return Rotation{}, err
		}
		fresh, now := freshKey(), k.now().UTC().Truncate(time.Second)
		r := Rotation{New: fresh.ID, Old: keys[0].ID, Until: now.Add(grace)}
		for i := range keys {
			if keys[i].Until.IsZero() || keys[i].Until.After(r.Until) {
				keys[i].Until = r.Until
			}
		}
		keys = slices.DeleteFunc(keys, func(key signingKey) bool { return !now.Before(key.Until) })
		next, err := json.Marshal(keyFile{Keys: append([]signingKey{fresh}, keys...)})
		if err != nil {
			return Rotation{}, err
		}
		err = k.store.ReplaceSecret(ctx, secretName, raw, next)
		if err == nil {
			k.forget()
			return r, nil
		}
		if try == rotateTries || !errors.Is(err, taskhub.ErrChanged) {
			return Rotation{}, fmt.Errorf("replacing the signing keys of task hub %q: %w", k.hub, err)
		}
	}
}

// forget has the keys read again when they are next needed.
func (k *Keys) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = nil
	k.generation++
}
