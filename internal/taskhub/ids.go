package taskhub

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strings"
)

// namespace is where our derived ids live (RFC 4122 name-based GUIDs): two
// programs that derive an id from the same parts get the same one.
var namespace = [16]byte{0x6f, 0x1d, 0x3c, 0x52, 0x9a, 0x40, 0x4e, 0x0b, 0x8d, 0x27, 0x1f, 0x60, 0x2b, 0xe4, 0x7a, 0x95}

// NewID is a random id of 32 hex digits, the form of instance and execution
// ids.
func NewID() string {
	var b [16]byte
	// Read never fails: the program ends where the system has no randomness.
	_, _ = rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return hex.EncodeToString(b[:])
}

// DerivedID is the id of 32 hex digits that belongs to the parts.
func DerivedID(parts ...string) string {
	b := derive(parts)
	return hex.EncodeToString(b[:])
}

// GUID is DerivedID in the form with dashes, which message ids have.
func GUID(parts ...string) string {
	b := derive(parts)
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// LockID is the id of the telling that asks an entity for the lock of a critical
// section of an orchestration.
func LockID(section, entity string) string { return GUID("lock", section, entity) }

// NewGUID is a random id in the form with dashes.
func NewGUID() string {
	id := NewID()
	return strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-")
}

// maxGenerations bounds the search for what an execution continues.
const maxGenerations = 1000

// Continues reports whether an execution follows another one of its instance by
// continue-as-new, at most a thousand times.
func Continues(id, execution, from string) bool {
	for range maxGenerations {
		from = DerivedID("next", id, from)
		if from == execution {
			return true
		}
	}
	return false
}

func derive(parts []string) (id [16]byte) {
	h := sha1.New()
	h.Write(namespace[:])
	for _, part := range parts {
		// The length keeps ("ab","c") and ("a","bc") apart.
		fmt.Fprintf(h, "%d:", len(part))
		h.Write([]byte(part))
	}
	copy(id[:], h.Sum(nil))
	id[6] = id[6]&0x0f | 0x50
	id[8] = id[8]&0x3f | 0x80
	return id
}
