package durable

import "testing"

func TestCompareVersions(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "1.0", -1}, {"1.0", "", 1},
		{"1.0", "1.0", 0}, {"1.9", "1.10", -1}, {"2.0", "1.10", 1}, {"1.0", "1.0.0", -1},
		{"v2", "V2", 0}, {"a", "b", -1}, {"2", "10", 1}, {"1.0.0.0.0", "1.0", 1},
	} {
		if got := compareVersions(c.a, c.b); got != c.want {
			t.Errorf("%q to %q: got %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
