package taskhub

import (
	"strings"
	"testing"
)

func TestBacklog(t *testing.T) {
	many := make([]string, 1000)
	for i := range many {
		many[i] = strings.Repeat("x", 20)
	}
	for _, c := range []struct {
		name    string
		backlog string
		event   string
		refuses bool
	}{
		{"none", "", "a", false},
		{"nothing is waited for", Backlog(nil), "a", true},
		{"another is waited for", Backlog([]string{"go"}), "a", true},
		{"it is waited for", Backlog([]string{"go", "ändern"}), "GO", false},
		{"letters beyond ASCII", Backlog([]string{"ändern"}), "Ändern", false},
		{"quotes", Backlog([]string{`a"b\`}), `A"B\`, false},
		{"more names than fit", Backlog(many), "a", false},
		{"what another version wrote", "{", "a", false},
	} {
		if got := (&Instance{Backlog: c.backlog}).Refuses(c.event); got != c.refuses {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestMaxWaitingBytes(t *testing.T) {
	for payload, want := range map[int]int{16 << 10: 64 << 20, MaxPayload: 64 << 20, 100 << 20: 400 << 20} {
		if got := MaxWaitingBytes(payload); got != want {
			t.Errorf("%d: %d", payload, got)
		}
	}
}
