//go:build !go1.26

package simulation

import "testing"

// seedRandom does nothing: ids are random before Go 1.26, so that a seed does the same
// only as far as ids have no part in it.
func seedRandom(*testing.T, uint64) {}

const seedsRepeat = false
