package hostname

import (
	"strings"
	"testing"
)

func TestHosts(t *testing.T) {
	for _, c := range []struct {
		host            string
		valid, loopback bool
	}{
		{"localhost", true, true}, {"LOCALHOST:7071", true, true}, {"localhost.:1", true, true}, {"127.0.0.1:80", true, true}, {"127.9.9.9", true, true},
		{"[::1]:7071", true, true}, {"[::1]", true, true}, {"[::ffff:127.0.0.1]", true, true},
		{"app.example", true, false}, {"localhost.evil.example", true, false}, {"127.0.0.1.evil.example", true, false}, {"192.168.1.5:7071", true, false},
		{"[2001:db8::1]:80", true, false}, {"0.0.0.0:80", true, false},
		{"", false, false}, {"-x", false, false}, {"x-", false, false}, {"x@y", false, false}, {"x/y", false, false}, {"x y", false, false}, {"x:", false, false},
		{"x:123456", false, false}, {"x:y", false, false}, {"x,y", false, false}, {"x\r\ny", false, false}, {"ä.example", false, false}, {strings.Repeat("a", 300), false, false},
	} {
		if got := Valid(c.host); got != c.valid {
			t.Errorf("%q: valid %v", c.host, got)
		}
		if got := Loopback(c.host); got != c.loopback {
			t.Errorf("%q: loopback %v", c.host, got)
		}
	}
}
