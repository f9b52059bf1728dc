//go:build go1.26

package simulation

import (
	"testing"
	"testing/cryptotest"
)

// seedRandom makes random ids follow from the seed.
func seedRandom(t *testing.T, seed uint64) { cryptotest.SetGlobalRandom(t, seed) }

// seedsRepeat reports whether a seed does the same each time.
const seedsRepeat = true
