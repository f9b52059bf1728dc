package main

import "testing"

// Every fault can still be planted: the text that it replaces is where it was.
func TestMutations(t *testing.T) {
	for _, m := range mutations {
		if err := m.Check("../../.."); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
		if m.Before == m.After {
			t.Errorf("%s changes nothing", m.Name)
		}
	}
}
