package engine

import "testing"

// TestGUIDIsTheOfficialOne has a vector that was computed with the standard
// algorithm.
func TestGUIDIsTheOfficialOne(t *testing.T) {
	if got := guidOf("abc_2024-01-01T00:00:00.0000000Z_0"); got != "80835b95-20cf-5cec-8922-92309c9a2bb6" {
		t.Errorf("got %s", got)
	}
}
