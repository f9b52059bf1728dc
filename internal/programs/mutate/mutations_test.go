package main

import "testing"

// Every fault can still be planted: the text that it replaces is where it was.
func TestMutations(t *testing.T) {
	for _, m := range mutations {
		if _, err := m.mutated("../../.."); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		if m.before == m.after {
			t.Errorf("%s changes nothing", m.name)
		}
	}
}
