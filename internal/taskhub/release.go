package taskhub

import (
	"time"

	"github.com/durable-go/functions/internal/history"
)

// ReleaseID is the id of the telling that ends a critical section at an entity. The owner
// and those who release for an owner that is gone make the same id, so that the release
// counts once.
func ReleaseID(section, entity string) string { return GUID("release", section, entity) }

// Release tells an entity that a critical section of the owner is over.
func Release(owner, section, entity string, now time.Time) *Telling {
	return &Telling{
		ID: ReleaseID(section, entity), Voids: LockID(section, entity), Ahead: true, Sent: now,
		Event: &history.Event{
			Type: history.EventRaised, ID: history.NoID, Name: history.EntityRelease, Timestamp: now,
			Input: history.EntityLockRelease{Parent: owner, ID: section}.Encode(),
		},
	}
}
