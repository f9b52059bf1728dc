package engine

import (
	"crypto/sha1"
	"fmt"
)

// guidNamespace is the one of the official isolated SDK, so that an
// orchestration makes the GUIDs that it would make there.
var guidNamespace = [16]byte{0x9e, 0x95, 0x29, 0x58, 0x5e, 0x33, 0x4d, 0xaf, 0x82, 0x7f, 0x2f, 0xa1, 0x29, 0x37, 0xb8, 0x75}

// NewGUID returns the next GUID of the execution: the name-based GUID (RFC 4122
// version 5) of "{instance id}_{time of the turn}_{counter}". A replay gives
// the same ones.
func (rt *Runtime) NewGUID() string {
	rt.check()
	name := fmt.Sprintf("%s_%s_%d", rt.InstanceID(), rt.Now().UTC().Format("2006-01-02T15:04:05.0000000Z"), rt.guids)
	rt.guids++
	return guidOf(name)
}

func guidOf(name string) string {
	h := sha1.New()
	h.Write(guidNamespace[:])
	h.Write([]byte(name))
	b := h.Sum(nil)[:16]
	b[6] = b[6]&0x0f | 0x50
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
