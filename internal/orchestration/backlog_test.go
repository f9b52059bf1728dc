package orchestration

import "testing"

func TestTooMany(t *testing.T) {
	for _, c := range []struct {
		n, limit int
		was      bool
		want     bool
	}{
		{0, 1, false, false}, {1, 1, false, true}, {1, 1, true, true}, {0, 1, true, false},
		{99, 100, false, false}, {100, 100, false, true}, {76, 100, true, true}, {75, 100, true, true}, {74, 100, true, false},
	} {
		if got := tooMany(c.n, c.limit, c.was); got != c.want {
			t.Errorf("%d of %d, %v before: %v", c.n, c.limit, c.was, got)
		}
	}
}
